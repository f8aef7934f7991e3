using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Vizsla.Onnx.Tests;

/// <summary>The sample of a service without libtorch: it answers as the network does, and only what a service needs travels with it.</summary>
public sealed partial class PhotoServiceTests(ExportedModel model) : IClassFixture<ExportedModel>
{
    [Fact]
    public async Task The_service_gives_the_network_s_scores()
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet",
            [Path.Combine(AppContext.BaseDirectory, "PhotoService.dll"), "--urls", "http://127.0.0.1:0", "--model", model.Folder]) { RedirectStandardOutput = true })!;
        try
        {
            using var client = new HttpClient { BaseAddress = await AddressAsync(process) };
            // It logs each request: read on, or its pipe is full one day and it waits.
            _ = process.StandardOutput.ReadToEndAsync();
            HttpResponseMessage response;
            do
            {
                response = await client.PostAsync("/models/photos?top_k=3", new ByteArrayContent(await File.ReadAllBytesAsync(model.Photos[0])));
            }
            while (response.StatusCode == HttpStatusCode.ServiceUnavailable);

            var scores = JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsArray().ToDictionary(p => (string)p!["label"]!, p => (double)p!["score"]!);
            Assert.All(model.Network.Predict(model.Photos[0], topK: 3), p => Assert.Equal(p.Score, scores[p.Label], 1e-5));
            Assert.Equal("Healthy", await client.GetStringAsync("/healthz"));
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }
    }

    [Fact]
    public void Datasets_tables_and_libtorch_do_not_travel_with_it()
    {
        using var dependencies = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "PhotoService.deps.json")));
        var names = dependencies.RootElement.GetProperty("libraries").EnumerateObject().Select(l => l.Name.Split('/')[0]).ToList();

        Assert.Contains("Vizsla.Onnx", names);
        Assert.Contains("Vizsla.Serving", names);
        string[] staying = ["Vizsla", "Vizsla.Data", "Vizsla.Studio", "TorchSharp", "ParquetSharp", "Apache.Arrow", "Sylvan.Data.Csv", "Google.Protobuf"];
        Assert.Empty(names.Intersect(staying));
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
