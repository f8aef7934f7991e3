using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests;

public sealed partial class WebApiSampleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Two_lines_put_a_model_into_an_application()
    {
        var model = SmallModel.Save(_folder["model"]);
        using var process = Process.Start(new ProcessStartInfo("dotnet",
            [Path.Combine(AppContext.BaseDirectory, "WebApi.dll"), "--urls", "http://127.0.0.1:0", "--model", model]) { RedirectStandardOutput = true })!;
        try
        {
            var address = await AddressAsync(process);
            // It logs each request: read on, or its pipe is full one day and it waits.
            _ = process.StandardOutput.ReadToEndAsync();
            using var client = new HttpClient();
            HttpResponseMessage response;
            do
            {
                response = await client.PostAsync(new Uri(address, "/models/pets"), new ByteArrayContent(TestPictures.Png(10, 200, 30)));
            }
            while (response.StatusCode == HttpStatusCode.ServiceUnavailable);

            var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsArray();
            Assert.Equal(5, answer.Count);
            Assert.Contains(answer[0]!["label"]!.GetValue<string>(), SmallModel.Labels);
            var handled = await client.PostAsync(new Uri(address, "/name"), new ByteArrayContent(TestPictures.Png(10, 200, 30)));
            Assert.Equal(answer[0]!["label"]!.GetValue<string>(), await handled.Content.ReadAsStringAsync());
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }
    }

    private static async Task<Uri> AddressAsync(Process process)
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (Listening().Match(line) is { Success: true } match)
            {
                return new Uri(match.Groups[1].Value);
            }
        }

        throw new InvalidOperationException("The sample ended before it listened.");
    }

    [GeneratedRegex(@"Now listening on: (http://\S+)")]
    private static partial Regex Listening();
}
