using System.Net;
using Vizsla.Adapters;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Predictions;

public sealed class BaseModelTests
{
    [Fact]
    public async Task An_adapter_whose_base_lies_elsewhere_answers_with_the_one_that_is_given()
    {
        using var folder = new TemporaryFolder();
        SmallModel.Save(folder["base"]);
        SmallModel.Save(folder["whole"]);
        using (var adapted = ImageClassifier.FromPretrained(folder["base"]))
        {
            adapted.AddAdapter(new LoraConfig { TargetModules = ["query", "value"] });
            adapted.Save(folder["adapter"]);
        }

        Directory.Move(folder["base"], folder["moved"]);
        await using var server = await RunningServer.StudioAsync(new StudioOptions { Models = [folder["adapter"], folder["whole"]], BaseModel = folder["moved"] });

        foreach (var name in new[] { "adapter", "whole" })
        {
            using var answer = await server.Client.PostAsync($"/models/{name}", new ByteArrayContent(TestPictures.Png(10, 200, 30)), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }
}
