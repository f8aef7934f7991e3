using System.Text.Json.Nodes;
using TorchSharp;
using Vizsla.Models;
using Vizsla.Models.Layers;
using Vizsla.Models.Weights;
using Vizsla.Native;
using Vizsla.Testing;
using Vizsla.Tests.Training;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models;

/// <summary>Blocks that run again in the backward pass, on every checkpoint below <c>vit/</c> and on networks below <c>timm/</c>.</summary>
[Trait("Category", "Golden")]
[Collection(TrainsAlone.Name)]
public sealed class RecomputationTests
{
    private const int ClassCount = 5;

    public static TheoryData<string> Checkpoints() => VitGoldenTests.Checkpoints();

    /// <summary>Every network whose tensors are recorded.</summary>
    public static TheoryData<string> Networks()
    {
        var folder = Path.Combine(Golden.Root, "timm");
        var found = Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder, "*.json").Where(f => JsonNode.Parse(File.ReadAllText(f))!["state"] is JsonArray).Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)
            : Enumerable.Empty<string>();
        return [.. found.DefaultIfEmpty("(none)")];
    }

    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void Losses_gradients_and_statistics_of_every_family_are_those_of_blocks_that_run_once(string checkpoint)
    {
        var folder = VitGoldenTests.Folder(checkpoint);
        using var numbers = SafetensorsFile.Open(Path.Combine(folder, "numbers.safetensors"));
        using var pixels = numbers.Read("pixel_values");
        Compare(
            () =>
            {
                var model = ImageClassifier.FromPretrained(folder, configure: Drop);
                VitGoldenTests.Arrange(model.Network, folder);
                return model.Network;
            },
            pixels);
    }

    [Theory]
    [Trait("Category", "Slow")]
    [MemberData(nameof(Networks))]
    public void Losses_gradients_and_statistics_of_networks_of_timm_are_those_of_blocks_that_run_once(string name)
    {
        Golden.RequireSlow();
        var recorded = JsonNode.Parse(File.ReadAllText(Golden.Require("timm", name + ".json")))!;
        var side = (long)recorded["side"]!;
        using var pixels = rand(2, 3, side, side);
        Compare(
            () =>
            {
                manual_seed(1);

                // Weights without a head have no class, and so no loss.
                var config = recorded["config"]!.DeepClone().AsObject();
                config["num_classes"] = ClassCount;
                var network = Architectures.Build(new ModelConfiguration(config));
                network.Initialize();
                return network;
            },
            pixels);
    }

    /// <summary>Small networks of classes that have their own ways: gradients of another memory layout than their planes, lists of steps.</summary>
    [Theory]
    [InlineData("convnext_atto", """{"depths": [1, 1, 1, 2], "dims": [4, 8, 8, 16]}""")]
    [InlineData("edgenext_xx_small", """{"depths": [1, 1, 1, 2], "dims": [8, 8, 8, 16], "heads": [2, 2, 2, 2]}""")]
    [InlineData("ghostnet_050", "{}")]
    [InlineData("xception41", """{"block_cfg": [[64, 8, 2], [8, 8, 1], [8, [8, 8, 16], 1, false]]}""")]
    public void Small_networks_of_timm_have_the_same_numbers_too(string architecture, string arguments) => CompareTimm(architecture, arguments);

    /// <summary>Those that cannot be made small.</summary>
    [Theory]
    [Trait("Category", "Slow")]
    [InlineData("vgg11")]
    [InlineData("vgg11_bn")]
    [InlineData("legacy_xception")]
    [InlineData("inception_v4")]
    public void Large_networks_of_timm_have_the_same_numbers_too(string architecture)
    {
        Golden.RequireSlow();
        CompareTimm(architecture, "{}");
    }

    [Fact]
    public void A_training_ends_with_the_weights_of_one_without_it()
    {
        using var run = new TinyRun();
        Assert.True(run.Train(run.Arguments("once") with { EmaDecay = 0.9 }));
        Assert.True(run.Train(run.Arguments("again") with { EmaDecay = 0.9, GradientCheckpointing = true }));

        Assert.Equal(File.ReadAllBytes(Path.Combine(run.Output("once"), "model.safetensors")), File.ReadAllBytes(Path.Combine(run.Output("again"), "model.safetensors")));
    }

    [Fact]
    public void A_network_or_a_freeze_that_leaves_nothing_to_run_again_is_told_once()
    {
        using var run = new TinyRun();
        using var log = new ListLog();
        using var model = run.Model();
        using var trainer = new Trainer(
            model, run.Arguments() with { GradientCheckpointing = true, Freeze = ["backbone"], FeatureCache = false }, TinyRun.Train(), TinyRun.Eval(), new TrainerOptions { Logger = log });

        trainer.Train();

        Assert.Equal("gradient_checkpointing has no effect while the backbone is frozen: nothing of its blocks is kept.", Assert.Single(log.Lines, line => line.Contains("gradient_checkpointing", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_a_block_throws_reaches_the_caller(bool isAgain)
    {
        var thrown = new InvalidDataException("a block fails");
        using var x = rand(2, 3).requires_grad_();
        using var scope = NewDisposeScope();
        using var opened = Recomputation.Open();
        Tensor Fail(Tensor input, Tensor? _) => Recomputation.IsAgain == isAgain ? throw thrown : input.sin();

        // The block before the one that fails is not run again, nor are its weights moved.
        var caught = Assert.Throws<InvalidDataException>(() => BackwardErrors.Backward(Recomputation.Run(Fail, Recomputation.Run((input, _) => input.cos(), x)).sum()));

        Assert.Same(thrown, caught);
        Assert.True(is_grad_enabled());
        Assert.True(Recomputation.IsOn);
        Assert.False(Recomputation.IsAgain);
        BackwardErrors.Backward(Recomputation.Run((input, _) => input.exp(), x).sum());
        Assert.Equal(Bytes(x.exp()), Bytes(x.grad!));
    }

    [Fact]
    public void What_libtorch_refuses_when_a_block_runs_again_reaches_the_caller_and_so_does_a_failed_training()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        ModuleTree.TensorLayers(model.Network).First(l => l.Name.EndsWith("0.output.dense", StringComparison.Ordinal)).Layer.Adapter = new Misfit();
        using var trainer = new Trainer(model, run.Arguments() with { GradientCheckpointing = true }, TinyRun.Train(), TinyRun.Eval());

        var e = Assert.ThrowsAny<Exception>(() => trainer.Train());

        Assert.Contains("must match the size", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_mark_or_a_shared_norm_throws_reaches_the_caller()
    {
        using var x = rand(2, 3, 4, 4).requires_grad_();
        using var scope = NewDisposeScope();
        var (weight, count) = (ones(3, requires_grad: true), 0);
        var state = new BatchStatistics(weight, zeros(3, requires_grad: true), zeros(3), ones(3), zeros(1, ScalarType.Int64));
        var marked = BackwardMark.Set(x, () => throw new InvalidDataException("a mark fails"));
        var normal = SharedBatchNorm.Apply(x, state, 0.1, 1e-5, _ => count = count == 2 ? throw new IOException("a process is gone") : count + 1);

        Assert.Equal("a mark fails", Assert.Throws<InvalidDataException>(() => BackwardErrors.Backward(marked.sum())).Message);
        Assert.Equal("a process is gone", Assert.Throws<IOException>(() => BackwardErrors.Backward(normal.sum())).Message);
    }

    private static void Drop(ModelConfiguration configuration)
    {
        foreach (var key in new[] { "hidden_dropout_prob", "attention_probs_dropout_prob", "drop_path_rate", "attention_dropout", "classifier_dropout_prob" }.Where(key => configuration.Json[key] is JsonValue))
        {
            configuration.Set(key, 0.1);
        }
    }

    private static void CompareTimm(string architecture, string arguments)
    {
        manual_seed(2);
        using var pixels = rand(2, 3, 80, 80);
        Compare(
            () =>
            {
                manual_seed(1);
                var network = Architectures.Build(new ModelConfiguration(new JsonObject
                {
                    ["architecture"] = architecture, ["num_classes"] = ClassCount, ["model_args"] = JsonNode.Parse(arguments),
                }));
                network.Initialize();
                return network;
            },
            pixels);
    }

    private static void Compare(Func<ClassificationNetwork> make, Tensor pixels)
    {
        set_num_threads(1);
        foreach (var isLow in Autocast.IsAvailable ? new[] { false, true } : [false])
        {
            var once = Numbers(make, pixels, recompute: false, isLow);
            var again = Numbers(make, pixels, recompute: true, isLow);

            Assert.Equal(once.Keys, again.Keys);
            Assert.Contains(once.Keys, key => key.StartsWith("grad.", StringComparison.Ordinal));
            foreach (var (key, values) in once)
            {
                Assert.True(values.AsSpan().SequenceEqual(again[key]), $"{key}{(isLow ? " in bf16" : "")}");
            }
        }
    }

    private static SortedDictionary<string, byte[]> Numbers(Func<ClassificationNetwork> make, Tensor pixels, bool recompute, bool isLow)
    {
        using var network = make();
        using var scope = NewDisposeScope();
        network.train();
        manual_seed(3);
        using var precision = isLow ? Autocast.Open(DeviceType.CPU) : null;
        using var opened = recompute ? Recomputation.Open() : null;
        var logits = network.forward(pixels).to(ScalarType.Float32);
        var loss = nn.functional.cross_entropy(logits, arange(logits.shape[0]).remainder(logits.shape[1]).to(ScalarType.Int64));
        BackwardErrors.Backward(loss);
        Assert.Equal(recompute, opened?.BlockCount > 0);
        var numbers = new SortedDictionary<string, byte[]>(StringComparer.Ordinal) { ["loss"] = Bytes(loss), ["generator"] = Bytes(rand(4)) };
        foreach (var (name, value) in network.State())
        {
            numbers[$"state.{name}"] = Bytes(value.detach());
            if (value.grad is { } gradient)
            {
                numbers[$"grad.{name}"] = Bytes(gradient);
            }
        }

        return numbers;
    }

    private static byte[] Bytes(Tensor value) => value.cpu().contiguous().bytes.ToArray();

    /// <summary>Fits the first time only.</summary>
    private sealed class Misfit : ILayerAdapter
    {
        public Tensor Apply(TensorLayer layer, Tensor input)
        {
            using var result = layer.Compute(input);
            using var other = ones(Recomputation.IsAgain ? result.shape[^1] + 1 : result.shape[^1]);
            return result.add(other);
        }
    }
}
