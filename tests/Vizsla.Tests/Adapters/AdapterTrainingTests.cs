using System.Text.Json.Nodes;
using Vizsla.Adapters;
using Vizsla.Models;
using Vizsla.Models.Weights;
using Vizsla.Testing;
using Vizsla.Tests.Training;
using static TorchSharp.torch;

namespace Vizsla.Tests.Adapters;

[Collection(TrainsAlone.Name)]
public sealed class AdapterTrainingTests
{
    private static readonly Dictionary<string, Func<AdapterConfig>> Kinds = new()
    {
        ["lora"] = () => new LoraConfig { R = 2, LoraDropout = 0.1, TargetModules = ["query", "value"], ModulesToSave = ["classifier"] },
        ["dora, every bias"] = () => new LoraConfig { R = 2, UseDora = true, Bias = "all", LoraDropout = 0.1, TargetPattern = "all-linear" },
        ["ia3"] = () => new IA3Config { TargetModules = ["key", "value", "output.dense"], FeedforwardModules = ["output.dense"], ModulesToSave = ["classifier"] },
    };

    public static TheoryData<string> KindNames => [.. Kinds.Keys];

    [Theory]
    [MemberData(nameof(KindNames))]
    public void A_run_that_stops_again_and_again_ends_as_one_that_never_stopped(string kind)
    {
        using var run = new TinyRun { Adapter = Kinds[kind] };
        Assert.True(run.Train(run.Arguments("whole")));

        var arguments = run.Arguments("stopped") with { ResumeFromCheckpoint = "true" };
        var stop = 0;
        while (!run.Train(arguments, stop += 3))
        {
        }

        Assert.Equal(RunFingerprint.Of(run.Output("whole")), RunFingerprint.Of(run.Output("stopped")));
    }

    [Fact]
    public void A_run_with_a_moving_average_is_resumed_too()
    {
        using var run = new TinyRun { Adapter = Kinds["lora"] };
        Assert.True(run.Train(run.Arguments("whole") with { EmaDecay = 0.9 }));
        Assert.False(run.Train(run.Arguments("stopped") with { EmaDecay = 0.9 }, stopAfter: 7));

        Assert.True(run.Train(run.Arguments("stopped") with { EmaDecay = 0.9, ResumeFromCheckpoint = "true" }));

        Assert.Equal(RunFingerprint.Of(run.Output("whole")), RunFingerprint.Of(run.Output("stopped")));
    }

    [Fact]
    public void Another_adapter_is_not_resumed()
    {
        using var run = new TinyRun { Adapter = Kinds["lora"] };
        Assert.False(run.Train(run.Arguments(), stopAfter: 6));
        using var model = run.Model();
        var arguments = run.Arguments() with { ResumeFromCheckpoint = "true" };
        using var trainer = new Trainer(model, arguments, TinyRun.Train(), TinyRun.Eval(), adapter: new LoraConfig { R = 3, LoraDropout = 0.1, TargetModules = ["query", "value"], ModulesToSave = ["classifier"] });

        var error = Assert.Throws<TrainingException>(() => trainer.Train());

        Assert.Equal(
            $"The run cannot be resumed from '{Path.Combine(run.Output(), "checkpoint-6")}' with other settings than it began with: the adapter's configuration is not the same. Give the first ones, or start anew with another output_dir.",
            error.Message);
    }

    [Fact]
    public void Run_and_checkpoints_hold_the_adapter_and_nothing_of_the_base()
    {
        using var run = new TinyRun { Adapter = Kinds["lora"] };
        using var model = run.Model();
        model.Save(run.Output("base"));

        Assert.True(run.Train(run.Arguments()));

        foreach (var folder in Directory.EnumerateDirectories(run.Output(), "checkpoint-*").Append(run.Output()))
        {
            Assert.False(File.Exists(Path.Combine(folder, "model.safetensors")), folder);
            using var file = SafetensorsFile.Open(Path.Combine(folder, "adapter_model.safetensors"));
            Assert.All(file.Tensors, t => Assert.True(t.Name.Contains(".lora_", StringComparison.Ordinal) || t.Name.Contains(".classifier.", StringComparison.Ordinal), t.Name));
            using var loaded = ImageClassifier.FromPretrained(folder, baseModel: run.Output("base"));
            Assert.Equal(["falling", "level", "rising"], loaded.Labels);
        }
    }

    [Fact]
    public void A_new_head_trains_and_is_saved_although_nobody_asked_for_it()
    {
        using var run = new TinyRun();
        using var old = run.Model();
        old.Save(run.Output("base"));
        using var model = ImageClassifier.FromPretrained(run.Output("base"), ["left", "right"], ignoreMismatchedSizes: true, seed: 3);

        model.AddAdapter(new LoraConfig { R = 2, TargetPattern = "all-linear" });

        Assert.Equal(["classifier"], model.Adapter!.ModulesToSave);
        Assert.Contains("classifier.weight", model.ActiveAdapter!.Trained);
        model.Save(run.Output("adapter"));
        using var again = ImageClassifier.FromPretrained(run.Output("adapter"));
        using var scope = NewDisposeScope();
        Assert.True(again.Network.get_parameter("classifier.weight")!.equal(model.Network.get_parameter("classifier.weight")!).all().item<bool>());
        Assert.Equal(["left", "right"], again.Labels);
    }

    [Fact]
    public void A_merged_model_is_a_whole_one()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        model.AddAdapter(new LoraConfig { R = 2, TargetPattern = "all-linear", UseDora = true, LoraAlpha = 5 }, seed: 4);
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        foreach (var (name, value) in model.ActiveAdapter!.State)
        {
            value.add_(randn_like(value), 0.05);
        }

        var pixels = randn(2, 3, 16, 16);
        var before = model.Network.forward(pixels);

        model.MergeAdapter();
        model.Save(run.Output("merged"));

        using var merged = ImageClassifier.FromPretrained(run.Output("merged"));
        Assert.Null(merged.Adapter);
        Assert.True((merged.Network.forward(pixels) - before).abs().max().item<float>() < 1e-5);
        Assert.False(File.Exists(Path.Combine(run.Output("merged"), "adapter_config.json")));
    }

    [Fact]
    public void Statistics_that_no_adapter_saves_stay_as_they_are()
    {
        using var network = Architectures.Build(Architectures.Variant("resnet18"));
        network.Initialize();
        var adapter = NetworkAdapter.Attach(network, AdapterPlan.Of(network, new LoraConfig { R = 2, TargetModules = ["conv1"] }), AdapterSpelling.Transformers4);
        adapter.Draw();
        using var freezing = new Vizsla.Training.Optimizers.Freezing(network, new TrainingArguments { OutputDir = "run" }, adapter.Trained);
        freezing.BeginEpoch(0);

        freezing.SetTrainingMode();

        using var scope = NewDisposeScope();
        var mean = network.get_buffer("bn1.running_mean")!.clone();
        using var mode = no_grad();
        _ = network.forward(randn(2, 3, 64, 64));
        Assert.True(mean.equal(network.get_buffer("bn1.running_mean")!).all().item<bool>());
        Assert.True(network.training);
    }

    [Fact]
    public void Adapters_of_one_base_share_its_weights_and_answer_as_if_alone()
    {
        using var run = new TinyRun();
        using var drawn = run.Model();
        drawn.Save(run.Output("base"));
        foreach (var name in new[] { "one", "two" })
        {
            using var made = ImageClassifier.FromPretrained(run.Output("base"), [.. name.Select(c => $"{name}-{c}")], ignoreMismatchedSizes: true, seed: name.Length);
            made.AddAdapter(new LoraConfig { R = 2, TargetModules = ["query"], Bias = "lora_only" });
            using var mode = no_grad();
            made.ActiveAdapter!.State.ToList().ForEach(s => s.Value.add_(0.05));
            made.Save(run.Output(name));
        }

        ImageClassifier one, two;
        using (var shared = ImageClassifier.FromPretrained(run.Output("base")))
        {
            (one, two) = (shared.WithAdapter(run.Output("one")), shared.WithAdapter(run.Output("two")));
        }

        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var pixels = randn(2, 3, 16, 16);
        using (one)
        using (two)
        using (var alone = ImageClassifier.FromPretrained(run.Output("two")))
        {
            Assert.True(two.Network.forward(pixels).equal(alone.Network.forward(pixels)).all().item<bool>());
            Assert.Equal(["two-t", "two-w", "two-o"], two.Labels);

            // A change of one weight is seen in the other model where it is shared, and only there.
            one.Network.get_parameter("vit.layernorm.weight")!.zero_();
            one.Network.get_parameter("vit.encoder.layer.0.attention.attention.query.bias")!.zero_();
            Assert.Equal(0, two.Network.get_parameter("vit.layernorm.weight")!.abs().max().item<float>());
            Assert.NotEqual(0, two.Network.get_parameter("vit.encoder.layer.0.attention.attention.query.bias")!.abs().max().item<float>());
        }
    }

    [Fact]
    public void An_adapter_in_the_names_of_transformers_5_is_written_and_read()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        model.Save(run.Output("base"));
        using var adapted = ImageClassifier.FromPretrained(run.Output("base"));
        adapted.AddAdapter(new LoraConfig { R = 2, TargetPattern = "all-linear", ModulesToSave = ["classifier"] }, AdapterSpelling.Transformers5, seed: 1);

        adapted.Save(run.Output("adapter"));

        using (var file = SafetensorsFile.Open(run.Output("adapter/adapter_model.safetensors")))
        {
            Assert.True(file.Contains("base_model.model.vit.layers.1.attention.q_proj.lora_A.weight"));
        }

        var config = JsonNode.Parse(File.ReadAllText(run.Output("adapter/adapter_config.json")))!;
        Assert.Contains("vit.layers.0.mlp.fc1", config["target_modules"]!.AsArray().Select(n => (string)n!));
        using var again = ImageClassifier.FromPretrained(run.Output("adapter"));
        Assert.Equal(AdapterSpelling.Transformers5, again.ActiveAdapter!.Spelling);
    }
}
