using System.Text.Json.Nodes;
using Vizsla.Models;
using Vizsla.Testing;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models;

/// <summary>Weights drawn anew, against what transformers 4.57.6 drew with the same seed (<c>Fixtures/drawn-weights.json</c>).</summary>
[Collection(nameof(RunAlone))]
public sealed class InitializationTests
{
    private static readonly JsonNode _recorded =
        JsonNode.Parse(File.ReadAllText(Path.Combine(Golden.Checkout, "tests", "Fixtures", "drawn-weights.json")))!;

    public static TheoryData<string> Families() => [.. _recorded["cases"]!.AsObject().Select(c => c.Key)];

    [Theory]
    [MemberData(nameof(Families))]
    public void A_model_from_random_weights_draws_what_transformers_draws(string family)
    {
        var recorded = _recorded["cases"]![family]!;

        using var classifier = ImageClassifier.FromConfig(Configuration(recorded), (long)_recorded["seed"]!);
        using var next = rand(1, ScalarType.Float64);

        var own = classifier.Network.State().ToDictionary(s => s.Name, s => s.Value);
        foreach (var (name, values) in recorded["first"]!.AsObject())
        {
            AssertStartsWith(name, values!, own[name]);
        }

        Assert.Equal((double)recorded["next"]!, next.item<double>());
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_replaced_head_draws_what_transformers_draws(string family)
    {
        var recorded = _recorded["cases"]![family]!;
        using var folder = new TemporaryFolder();
        using (var classifier = ImageClassifier.FromConfig(Configuration(recorded), 1))
        {
            classifier.Save(folder.Path);
        }

        var labels = Enumerable.Range(0, (int)_recorded["head_labels"]!).Select(i => $"LABEL_{i}").ToList();
        using var replaced = ImageClassifier.FromPretrained(folder.Path, labels, ignoreMismatchedSizes: true, (long)_recorded["head_seed"]!);
        using var next = rand(1, ScalarType.Float64);

        var own = replaced.Network.State().ToDictionary(s => s.Name, s => s.Value);
        foreach (var name in replaced.Network.HeadParameterNames)
        {
            AssertStartsWith(name, recorded["head"]![name]!, own[name]);
        }

        Assert.Equal((double)recorded["head"]!["next"]!, next.item<double>());
    }

    private static ModelConfiguration Configuration(JsonNode recorded) => new(recorded["config"]!.DeepClone().AsObject());

    private static void AssertStartsWith(string name, JsonNode expected, Tensor actual)
    {
        using var scope = NewDisposeScope();
        var flat = actual.detach().flatten();
        var values = flat.data<float>().ToArray().Take(expected.AsArray().Count);
        Assert.True(expected.AsArray().Select(v => (float)v!).SequenceEqual(values), $"{name}: {string.Join(", ", values)}, expected {expected.ToJsonString()}");
    }
}
