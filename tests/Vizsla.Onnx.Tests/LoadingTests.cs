using System.Text.Json.Nodes;
using Microsoft.ML.OnnxRuntime;
using Vizsla.Export;
using Vizsla.Hub;
using Vizsla.HubServer;
using Vizsla.Inference;
using Vizsla.Testing;

namespace Vizsla.Onnx.Tests;

/// <summary>Where a model is found, what its options do, and what is said of files that are not as expected.</summary>
public sealed class LoadingTests(ExportedModel model) : IClassFixture<ExportedModel>
{
    private string Exported => Path.Combine(model.Folder, "onnx", "model.onnx");

    [Fact]
    public void A_model_is_found_by_its_folder_and_by_its_file()
    {
        using var flat = new TemporaryFolder();
        foreach (var name in new[] { "config.json", "preprocessor_config.json" })
        {
            File.Copy(Path.Combine(model.Folder, name), flat[name]);
        }

        File.Copy(Exported, flat["model.onnx"]);
        using var byFolder = OnnxClassifier.Load(model.Folder);
        var expected = byFolder.Predict(model.Photos[0]);

        foreach (var path in new[] { Exported, flat.Path, flat["model.onnx"] })
        {
            using var classifier = OnnxClassifier.Load(path);
            Assert.Equal(expected, classifier.Predict(model.Photos[0]));
        }
    }

    [Fact]
    public async Task A_model_on_a_Hub_is_found_by_its_name_and_only_what_is_needed_is_fetched()
    {
        using var folder = new TemporaryFolder();
        await using var host = await HubServerHost.StartAsync(new HubServerOptions { DataDirectory = folder["hub"], Port = 0 });
        using var hub = new HubClient(HubOptions.FromEnvironment(name => name switch { "HF_HOME" => folder["home"], "HF_ENDPOINT" => host.Address.ToString(), _ => null })
            with { Token = TokenStore.Read(host.TokenFile) });
        var repo = RepoId.Model("user/vit-nano");
        model.Network.ExportOnnx(folder["other"], OnnxPrecision.Float16);
        await hub.CreateRepoAsync(repo);
        await hub.CommitAsync(repo, [
            .. new[] { "config.json", "preprocessor_config.json", "model.safetensors", "onnx/model.onnx" }.Select(f => new CommitAdd(f, File.ReadAllBytes(Path.Combine(model.Folder, f)))),
            new CommitAdd("onnx/model_fp16.onnx", await File.ReadAllBytesAsync(folder["other", "model_fp16.onnx"]))], "Add");

        using var classifier = await OnnxClassifier.LoadAsync("user/vit-nano", hub: hub);
        using var half = await OnnxClassifier.LoadAsync("user/vit-nano", new() { FileName = "model_fp16.onnx" }, hub: hub);

        OnnxClassifierTests.AssertClose(model.Network.Predict(model.Photos[0]), classifier.Predict(model.Photos[0]));
        OnnxClassifierTests.AssertClose(model.Network.Predict(model.Photos[0]), half.Predict(model.Photos[0]), 0.01f);
        Assert.Empty(Directory.EnumerateFiles(folder["home"], "model.safetensors", SearchOption.AllDirectories));
        var absent = await Assert.ThrowsAsync<HubException>(() => OnnxClassifier.LoadAsync("user/absent", hub: hub));
        Assert.Equal(HubErrorKind.RepositoryNotFound, absent.Kind);
    }

    [Fact]
    public void Threads_follow_the_processors_of_the_process_and_do_not_spin_unless_the_caller_says_otherwise()
    {
        var seen = new List<(int Threads, bool HasArena)>();
        using var plain = OnnxClassifier.Load(model.Folder, new() { Configure = s => seen.Add((s.IntraOpNumThreads, s.EnableCpuMemArena)) });
        using var one = OnnxClassifier.Load(model.Folder, new() { Threads = 1, Spins = true, Configure = s => seen.Add((s.IntraOpNumThreads, s.EnableCpuMemArena)) });

        Assert.Equal([(Environment.ProcessorCount, true), (1, true)], seen);
        Assert.Equal(plain.Predict(model.Photos[0]).Select(p => p.Label), one.Predict(model.Photos[0]).Select(p => p.Label));
    }

    [Fact]
    public void An_execution_provider_is_added_by_the_caller()
    {
        using var classifier = OnnxClassifier.Load(model.Folder, new() { Configure = settings => settings.AppendExecutionProvider_CPU(0) });

        OnnxClassifierTests.AssertClose(model.Network.Predict(model.Photos[0]), classifier.Predict(model.Photos[0]));
    }

    [Fact]
    public void Labels_processor_and_function_are_the_folder_s_unless_they_are_given()
    {
        using var alone = new TemporaryFolder();
        File.Copy(Exported, alone["model.onnx"]);
        var processor = model.Network.Processor;

        using var own = OnnxClassifier.Load(alone["model.onnx"], new() { Processor = processor });
        using var named = OnnxClassifier.Load(alone["model.onnx"], new() { Processor = processor, Labels = ["a", "b", "c"], Function = ScoreFunction.None });

        Assert.Equal(model.Network.Labels, own.Labels);
        Assert.Equal(["a", "b", "c"], named.Predict(model.Photos[0]).Select(p => p.Label).Order());
        Assert.Equal(named.ComputeLogits([Vizsla.Imaging.ImageCodec.Load(model.Photos[0])])[0].Max(), named.Predict(model.Photos[0], topK: 1)[0].Score);
    }

    [Fact]
    public void What_is_wrong_is_said_in_one_sentence()
    {
        using var folder = new TemporaryFolder();
        File.Copy(Exported, folder["model.onnx"]);
        var alone = folder["model.onnx"];
        var silent = model.Network.StartExport().Make(OnnxPrecision.Float32);
        Assert.True(silent.Metadata.Remove("preprocessor_config"));
        silent.Save(folder["silent.onnx"]);
        Assert.Equal(
            $"Neither '{folder["preprocessor_config.json"]}' nor '{folder["silent.onnx"]}' says how the pictures are prepared. Give Processor in the options.",
            Message(folder["silent.onnx"]));
        Assert.Equal(
            $"'{alone}' has no input 'pixels'. It has pixel_values.",
            Message(alone, new() { Input = "pixels" }));
        Assert.Equal(
            $"'{alone}' has no output 'scores'. It has logits.",
            Message(alone, new() { Output = "scores" }));

        File.WriteAllText(folder["config.json"], "[1, 2]");
        Assert.StartsWith($"'{folder["config.json"]}' is not a JSON object: ", Message(alone), StringComparison.Ordinal);
        File.Delete(folder["config.json"]);

        Assert.Equal(
            $"'{folder["absent"]}' is neither a file nor a folder, nor in the Hub cache '{HubOptions.FromEnvironment().CacheDirectory}'. Fetch it with LoadAsync, or give the folder of an exported model.",
            Message(folder["absent"]));
        Assert.Equal($"'{folder.Path}' holds neither onnx/model_fp16.onnx nor model_fp16.onnx. Export the model into it first.", Message(folder.Path, new() { FileName = "model_fp16.onnx" }));

        var bytes = File.ReadAllBytes(Exported);
        File.WriteAllBytes(folder["cut.onnx"], bytes[..(bytes.Length / 2)]);
        var cut = Message(folder["cut.onnx"]);
        Assert.StartsWith($"'{folder["cut.onnx"]}' is not a model that ONNX Runtime can load: ", cut, StringComparison.Ordinal);
        Assert.EndsWith(" Export it again.", cut, StringComparison.Ordinal);

        using var wrong = OnnxClassifier.Load(alone, new() { Processor = model.Network.Processor, Labels = ["a", "b"] });
        Assert.Equal(
            "The model answers with 3 classes, but there are 2 labels. Give the labels of this model.",
            Assert.Throws<OnnxModelException>(() => wrong.Predict(model.Photos[0])).Message);
    }

    [Theory]
    [InlineData("vit-nano", true)]
    [InlineData("resnet18", false)]
    public void A_file_alone_says_labels_and_preprocessing(string architecture, bool isChanged)
    {
        using var folder = new TemporaryFolder();
        using var network = ImageClassifier.Create(architecture, model.Network.Labels, ExportedModel.Side, seed: 2);
        Assert.Equal(isChanged, network.Processor.PretrainedCfg is null);
        if (isChanged)
        {
            network.Processor = network.Processor with { ImageMean = [0.1f, 0.2f, 0.3f] };
        }

        File.Move(network.ExportOnnx(folder["export"]), folder["alone.onnx"]);

        using var classifier = OnnxClassifier.Load(folder["alone.onnx"]);

        Assert.Equal(network.Labels, classifier.Labels);
        OnnxClassifierTests.AssertClose(network.Predict(model.Photos[0]), classifier.Predict(model.Photos[0]));
    }

    [Fact]
    public void The_names_of_somebody_else_s_file_are_found()
    {
        using var folder = new TemporaryFolder();
        var foreign = model.Network.StartExport().Make(OnnxPrecision.Float32);
        foreign.Rename("pixel_values", "x");
        foreign.Inputs[0] = foreign.Inputs[0] with { Name = "x" };
        foreign.Nodes[^1] = foreign.Nodes[^1] with { Outputs = ["y"] };
        foreign.Outputs[0] = foreign.Outputs[0] with { Name = "y" };
        foreign.Metadata.Clear();
        foreign.Save(folder["other.onnx"]);
        model.Network.Processor.Save(folder.Path);

        Assert.Equal(
            $"Neither '{folder["config.json"]}' nor '{folder["other.onnx"]}' says the names of the classes. Give Labels in the options.",
            Message(folder["other.onnx"]));
        using var classifier = OnnxClassifier.Load(folder["other.onnx"], new() { Labels = model.Network.Labels });

        OnnxClassifierTests.AssertClose(model.Network.Predict(model.Photos[0]), classifier.Predict(model.Photos[0]));
    }

    [Fact]
    public void Labels_of_timm_are_read_too()
    {
        using var folder = new TemporaryFolder();
        File.Copy(Exported, folder["model.onnx"]);
        File.WriteAllText(folder["config.json"], new JsonObject
        {
            ["architecture"] = "vit", ["label_names"] = new JsonArray("one", "two", "three"),
            ["pretrained_cfg"] = new JsonObject { ["input_size"] = new JsonArray(3, 32, 32), ["mean"] = new JsonArray(0.5, 0.5, 0.5), ["std"] = new JsonArray(0.5, 0.5, 0.5) },
        }.ToJsonString());

        using var classifier = OnnxClassifier.Load(folder.Path);

        Assert.Equal(["one", "two", "three"], classifier.Labels);
        Assert.Equal(3, classifier.Predict(model.Photos[0]).Count);
    }

    private static string Message(string path, OnnxClassifierOptions? options = null) => Assert.Throws<OnnxModelException>(() => OnnxClassifier.Load(path, options)).Message;
}
