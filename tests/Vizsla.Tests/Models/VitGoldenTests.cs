using System.Text.Json.Nodes;
using TorchSharp;
using Vizsla.Models;
using Vizsla.Models.Weights;
using Vizsla.Testing;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models;

/// <summary>Every checkpoint below <c>vit/</c>: what transformers computed with it, and what it saved.</summary>
[Trait("Category", "Golden")]
public sealed class VitGoldenTests
{
    // golden/README.md: 1e-5 times the largest of the tensor; gradients also 1e-7, since those of key biases are rounding noise around zero.
    private const double Near = 1e-5;
    private const double GradientFloor = 1e-7;

    /// <summary>Checkpoints recorded in the same way of families that the recordings lack.</summary>
    internal static string Own => Path.Combine(Golden.Checkout, "tests", "Fixtures", "vit");

    public static TheoryData<string> Checkpoints()
    {
        var found = new[] { Path.Combine(Golden.Root, "vit"), Own }.Where(Directory.Exists).SelectMany(Directory.EnumerateDirectories)
            .Where(d => File.Exists(Path.Combine(d, "numbers.safetensors"))).Select(d => Path.GetFileName(d)).Distinct().Order(StringComparer.Ordinal);
        return [.. found.DefaultIfEmpty("(none)")];
    }

    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void Logits_hidden_states_and_loss_are_those_of_transformers(string checkpoint)
    {
        var folder = Folder(checkpoint);
        using var scope = NewDisposeScope();
        using var classifier = ImageClassifier.FromPretrained(folder);
        using var numbers = SafetensorsFile.Open(Path.Combine(folder, "numbers.safetensors"));

        using var mode = no_grad();
        using var trace = new NetworkTrace();
        Arrange(classifier.Network, folder);
        var features = classifier.Network.Features(numbers.Read("pixel_values"), trace);
        var logits = classifier.Network.Head(features);
        var loss = nn.functional.cross_entropy(logits, numbers.Read("labels")).reshape(1);

        AssertNear("logits", numbers.Read("logits"), logits);
        AssertNear("loss", numbers.Read("loss"), loss);
        var recorded = numbers.Tensors.Select(t => t.Name).Where(n => n.StartsWith("hidden_state.", StringComparison.Ordinal)).ToList();
        if (classifier.Configuration.IsTimm)
        {
            AssertFeatures([.. recorded.Select((_, i) => numbers.Read($"hidden_state.{i}"))], trace.HiddenStates);
            return;
        }

        Assert.Equal(recorded.Count, trace.HiddenStates.Count);
        for (var i = 0; i < recorded.Count; i++)
        {
            AssertNear($"hidden_state.{i}", numbers.Read($"hidden_state.{i}"), trace.HiddenStates[i]);
        }
    }

    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void Every_gradient_is_that_of_transformers(string checkpoint)
    {
        var folder = Folder(checkpoint);
        using var scope = NewDisposeScope();
        using var classifier = ImageClassifier.FromPretrained(folder);
        using var numbers = SafetensorsFile.Open(Path.Combine(folder, "numbers.safetensors"));

        Arrange(classifier.Network, folder);
        var loss = nn.functional.cross_entropy(classifier.Network.forward(numbers.Read("pixel_values")), numbers.Read("labels"));
        loss.backward();

        var own = classifier.Network.State().ToDictionary(s => s.Name, s => s.Value);
        var recorded = numbers.Tensors.Select(t => t.Name).Where(n => n.StartsWith("grad.", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(recorded);
        foreach (var name in recorded)
        {
            var expected = numbers.Read(name);
            var actual = own[classifier.Network.NameOf(name["grad.".Length..])!].grad;
            Assert.True(actual is not null, $"{name}: no gradient");
            var difference = (expected - actual).abs().max().item<float>();
            var allowed = Near * expected.abs().max().item<float>() + GradientFloor;
            Assert.True(difference <= allowed, $"{name}: differs by {difference}, allowed {allowed}");
        }
    }

    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void Saved_again_it_has_the_same_names_values_and_configuration(string checkpoint)
    {
        var folder = Folder(checkpoint);
        using var classifier = ImageClassifier.FromPretrained(folder);
        using var saved = new TemporaryFolder();

        classifier.Save(saved.Path);

        using var before = WeightSource.Open(folder);
        using var after = WeightSource.Open(saved.Path);
        Assert.Equal(before.Names.Order(StringComparer.Ordinal), after.Names.Order(StringComparer.Ordinal));
        foreach (var name in before.Names)
        {
            using var scope = NewDisposeScope();
            var (left, right) = (zeros([.. before.Shape(name)]), zeros([.. after.Shape(name)]));
            before.CopyTo(name, left);
            after.CopyTo(name, right);
            Assert.True(left.equal(right).all().item<bool>(), name);
        }

        var single = Path.Combine(folder, "model.safetensors");
        if (File.Exists(single))
        {
            Assert.Equal(File.ReadAllBytes(single), File.ReadAllBytes(Path.Combine(saved.Path, "model.safetensors")));
            Assert.Equal(File.ReadAllText(Path.Combine(folder, "config.json")), File.ReadAllText(Path.Combine(saved.Path, "config.json")));
        }
    }

    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void Nothing_leaks_in_a_forward_pass(string checkpoint)
    {
        var folder = Folder(checkpoint);
        using var classifier = ImageClassifier.FromPretrained(folder);
        using var numbers = SafetensorsFile.Open(Path.Combine(folder, "numbers.safetensors"));
        Arrange(classifier.Network, folder);
        using var pixels = numbers.Read("pixel_values");

        using var leaks = new NoTensorLeaks();
        using var mode = no_grad();
        using var logits = classifier.Network.forward(pixels);
    }

    internal static void Arrange(ClassificationNetwork network, string folder)
    {
        var call = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "call.json")))!;
        network.InterpolatesPositions = call["interpolate_pos_encoding"]?.GetValue<bool>() ?? false;
    }

    internal static string Folder(string checkpoint)
    {
        var own = Path.Combine(Own, checkpoint);
        var folder = Directory.Exists(own) ? own : Golden.Require("vit", checkpoint);
        var type = ModelConfiguration.Load(folder).ModelType;
        if (type != "timm_wrapper" && !Architectures.All.ContainsKey(type))
        {
            Assert.Skip($"skipped: {checkpoint} needs the architecture '{type}', which is not built yet");
        }

        return folder;
    }

    /// <summary>timm gives the planes of some of its layers, and tokens as planes: each is one of ours, in their order.</summary>
    private static void AssertFeatures(IReadOnlyList<Tensor> recorded, IEnumerable<Tensor> own)
    {
        using var rest = own.GetEnumerator();
        foreach (var (i, expected) in recorded.Index())
        {
            var isFound = false;
            while (!isFound && rest.MoveNext())
            {
                var plane = rest.Current.dim() == 3 ? AsPlane(rest.Current, expected) : rest.Current;
                isFound = plane is not null && plane.shape.SequenceEqual(expected.shape)
                    && (expected - plane).abs().max().item<float>() <= Near * Math.Max(1, expected.abs().max().item<float>());
            }

            Assert.True(isFound, $"hidden_state.{i} is none of the network's, or not in this order");
        }
    }

    private static Tensor? AsPlane(Tensor tokens, Tensor like)
    {
        var (places, all) = (like.shape[2] * like.shape[3], tokens.shape[1]);
        return all < places ? null : tokens.narrow(1, all - places, places).transpose(1, 2).reshape(tokens.shape[0], -1, like.shape[2], like.shape[3]);
    }

    internal static void AssertNear(string name, Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        var difference = (expected - actual).abs().max().item<float>();
        var allowed = Near * Math.Max(1, expected.abs().max().item<float>());
        Assert.True(difference <= allowed, $"{name}: differs by {difference}, allowed {allowed}");
    }
}
