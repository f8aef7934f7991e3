using System.Text.Json.Nodes;
using TorchSharp;
using Vizsla.Models;
using Vizsla.Models.Layers;
using Vizsla.Models.Weights;
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

    [Fact]
    public void A_training_ends_with_the_weights_of_one_without_it()
    {
        using var run = new TinyRun();
        Assert.True(run.Train(run.Arguments("once") with { EmaDecay = 0.9 }));
        Assert.True(run.Train(run.Arguments("again") with { EmaDecay = 0.9, GradientCheckpointing = true }));

        Assert.Equal(File.ReadAllBytes(Path.Combine(run.Output("once"), "model.safetensors")), File.ReadAllBytes(Path.Combine(run.Output("again"), "model.safetensors")));
    }

    private static void Drop(ModelConfiguration configuration)
    {
        foreach (var key in new[] { "hidden_dropout_prob", "attention_probs_dropout_prob", "drop_path_rate", "attention_dropout", "classifier_dropout_prob" }.Where(key => configuration.Json[key] is JsonValue))
        {
            configuration.Set(key, 0.1);
        }
    }

    private static void Compare(Func<ClassificationNetwork> make, Tensor pixels)
    {
        set_num_threads(1);
        var once = Numbers(make, pixels, recompute: false);
        var again = Numbers(make, pixels, recompute: true);

        Assert.Equal(once.Keys, again.Keys);
        Assert.Contains(once.Keys, key => key.StartsWith("grad.", StringComparison.Ordinal));
        foreach (var (key, values) in once)
        {
            Assert.True(values.AsSpan().SequenceEqual(again[key]), key);
        }
    }

    private static SortedDictionary<string, byte[]> Numbers(Func<ClassificationNetwork> make, Tensor pixels, bool recompute)
    {
        using var network = make();
        using var scope = NewDisposeScope();
        network.train();
        manual_seed(3);
        using var opened = recompute ? Recomputation.Open() : null;
        var logits = network.forward(pixels);
        var loss = nn.functional.cross_entropy(logits, arange(logits.shape[0]).remainder(logits.shape[1]).to(ScalarType.Int64));
        loss.backward();
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
}
