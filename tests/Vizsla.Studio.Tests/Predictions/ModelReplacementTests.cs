using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Vizsla.Models;
using Vizsla.Models.Weights;
using Vizsla.Serving.Queues;
using Vizsla.Studio.Predictions;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Predictions;

/// <summary>A model whose folder is replaced while it answers.</summary>
public sealed class ModelReplacementTests : IDisposable
{
    private static readonly string[] s_before = ["cat", "dog"];
    private static readonly string[] s_after = ["ant", "bee", "fly"];
    private readonly TemporaryFolder _folder = new();

    public ModelReplacementTests() => Save("model", s_before);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_new_model_takes_over_and_no_request_fails()
    {
        await using var server = await RunningServer.ServeAsync(_folder["model"]);
        var catalog = server.Application.Services.GetRequiredService<ModelCatalog>();
        using var done = new CancellationTokenSource();
        var asking = Enumerable.Range(0, 4).Select(_ => AskAsync(server, done.Token)).ToList();

        Replace(Save("next", s_after));
        await catalog.RefreshAsync();
        var seenOnce = await LabelsAsync(server);
        await catalog.RefreshAsync();
        var replaced = await LabelsAsync(server);
        await done.CancelAsync();
        var answers = (await Task.WhenAll(asking)).SelectMany(a => a).ToList();

        // Files that changed since the last look may still be on their way.
        Assert.Equal(s_before, seenOnce);
        Assert.Equal(s_after, replaced);
        Assert.NotEmpty(answers);
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.Status));
        Assert.All(answers, a => Assert.True(a.Labels.SequenceEqual(s_before) || a.Labels.SequenceEqual(s_after), string.Join(' ', a.Labels)));
    }

    [Fact]
    public async Task A_replacement_that_cannot_be_loaded_leaves_the_model_answering_until_a_whole_one_comes()
    {
        await using var server = await RunningServer.ServeAsync(_folder["model"]);
        var catalog = server.Application.Services.GetRequiredService<ModelCatalog>();

        File.WriteAllText(_folder["model", "config.json"], "{ \"model_type\"");
        await RefreshAsync(catalog);
        var broken = await LabelsAsync(server);
        Replace(Save("next", s_after));
        await RefreshAsync(catalog);

        Assert.Equal(s_before, broken);
        Assert.Equal(s_after, await LabelsAsync(server));
    }

    [Fact]
    public async Task A_folder_that_is_gone_changes_nothing()
    {
        await using var server = await RunningServer.ServeAsync(_folder["model"]);
        var catalog = server.Application.Services.GetRequiredService<ModelCatalog>();

        Directory.Delete(_folder["model"], recursive: true);
        await RefreshAsync(catalog);

        Assert.Equal(s_before, await LabelsAsync(server));
    }

    [Fact]
    public async Task An_exported_file_takes_over_from_the_weights_until_newer_ones_come()
    {
        await using var server = await RunningServer.ServeAsync(_folder["model"]);
        var catalog = server.Application.Services.GetRequiredService<ModelCatalog>();

        // The labels tell the file from the weights.
        using (var other = ImageClassifier.Create("vit-nano", s_after, imageSize: 32, seed: 7))
        {
            other.ExportOnnx(_folder["model", "onnx"]);
        }

        File.WriteAllText(_folder["model", "config.json"], """{"id2label": {"0": "ant", "1": "bee", "2": "fly"}}""");
        await RefreshAsync(catalog);
        var exported = await LabelsAsync(server);
        Save("model", s_before);
        File.SetLastWriteTimeUtc(_folder["model", "model.safetensors"], File.GetLastWriteTimeUtc(_folder["model", "onnx", "model.onnx"]).AddSeconds(1));
        await RefreshAsync(catalog);

        Assert.Equal(s_after, exported);
        Assert.Equal(s_before, await LabelsAsync(server));
    }

    [Fact]
    public void A_checkpoint_without_a_classifier_is_not_served_whatever_its_classes_are_called()
    {
        var weights = _folder["model", "model.safetensors"];
        using (var model = ImageClassifier.FromPretrained(_folder["model"]))
        {
            var encoder = model.Network.State().Where(s => !s.Name.StartsWith("classifier", StringComparison.Ordinal)).Select(s => KeyValuePair.Create(s.Name, s.Value)).ToList();
            SafetensorsFile.Write(weights, encoder);
        }

        var labels = _folder.WriteText("labels.json", """["cat", "dog"]""");

        foreach (var file in new[] { null, labels })
        {
            var error = Assert.Throws<ModelLoadException>(() => ClassifierModel.Open(_folder["model"], file));

            Assert.Equal(
                $"'{_folder["model"]}' has no classifier, only an encoder, whose answers would be random. Train one on classes of your own, or take a checkpoint that was trained to classify.",
                error.Message);
        }
    }

    private static async Task RefreshAsync(ModelCatalog catalog)
    {
        await catalog.RefreshAsync();
        await catalog.RefreshAsync();
    }

    private string Save(string name, string[] labels)
    {
        using var model = ImageClassifier.Create("vit-nano", labels, imageSize: 32, seed: labels.Length);
        model.Save(_folder[name]);
        return _folder[name];
    }

    private void Replace(string next)
    {
        Directory.Move(_folder["model"], _folder["old"]);
        Directory.Move(next, _folder["model"]);
    }

    private static async Task<List<(HttpStatusCode Status, string[] Labels)>> AskAsync(RunningServer server, CancellationToken done)
    {
        var answers = new List<(HttpStatusCode, string[])>();
        while (!done.IsCancellationRequested)
        {
            answers.Add(await AnswerAsync(server));
        }

        return answers;
    }

    private static async Task<string[]> LabelsAsync(RunningServer server) => (await AnswerAsync(server)).Labels;

    private static async Task<(HttpStatusCode Status, string[] Labels)> AnswerAsync(RunningServer server)
    {
        using var response = await server.Client.PostAsync("/models/small", new ByteArrayContent(TestPictures.Png(1, 2, 3)));
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync());
        return (response.StatusCode, answer is JsonArray classes ? [.. classes.Select(c => (string)c!["label"]!).Order(StringComparer.Ordinal)] : []);
    }
}
