using System.Text.Json.Nodes;
using Vizsla.Adapters;
using Vizsla.Models;
using Vizsla.Models.Weights;
using Vizsla.Primitives;
using Vizsla.Testing;
using Vizsla.Tests.Models;
using Vizsla.Tests.Training;
using static TorchSharp.torch;

namespace Vizsla.Tests.Adapters;

/// <summary>Every adapter below <c>peft/</c>: what PEFT computed with it, and the files that it wrote.</summary>
[Trait("Category", "Golden")]
[Collection(TrainsAlone.Name)]
public sealed partial class PeftGoldenTests
{
    // As in vit/: 1e-5 of the largest; gradients also 1e-7, since those of key biases are rounding noise around zero.
    private const double Near = 1e-5;
    private const double GradientFloor = 1e-7;

    public static TheoryData<string> Cases()
    {
        var root = Path.Combine(Golden.Root, "peft");
        var found = Directory.Exists(root)
            ? Directory.EnumerateDirectories(root).Where(d => File.Exists(Path.Combine(d, "base.json"))).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal)
            : Enumerable.Empty<string>();
        return [.. found.DefaultIfEmpty("(none)")];
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Logits_loss_and_every_gradient_are_those_of_PEFT(string name)
    {
        using var scope = NewDisposeScope();
        var (folder, network, adapter) = Open(name);
        using var owned = network;
        using var numbers = SafetensorsFile.Open(Path.Combine(folder, "numbers.safetensors"));

        var trained = adapter.Trained;
        foreach (var (parameterName, parameter) in network.named_parameters())
        {
            parameter.requires_grad = trained.Contains(parameterName);
        }

        var logits = network.forward(numbers.Read("pixel_values"));
        var loss = nn.functional.cross_entropy(logits, numbers.Read("labels"));
        loss.backward();

        AssertNear("logits", numbers.Read("logits"), logits.detach());
        AssertNear("loss", numbers.Read("loss").reshape(1), loss.detach().reshape(1));
        var own = adapter.State.ToDictionary(s => s.Name, s => s.Value);
        var recorded = numbers.Tensors.Select(t => t.Name).Where(n => n.StartsWith("grad.", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(recorded);
        foreach (var gradient in recorded)
        {
            var expected = numbers.Read(gradient);
            var actual = own[gradient["grad.".Length..]].grad;
            Assert.True(actual is not null, $"{gradient}: no gradient");
            var difference = (expected - actual).abs().max().item<float>();
            var allowed = Near * expected.abs().max().item<float>() + GradientFloor;
            Assert.True(difference <= allowed, $"{gradient}: differs by {difference}, allowed {allowed}");
        }

        Assert.Equal((long)Base(folder)["trainable"]!, network.named_parameters().Where(p => trained.Contains(p.name)).Sum(p => p.parameter.numel()));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Merged_it_computes_what_PEFT_merged_computes(string name)
    {
        using var scope = NewDisposeScope();
        var (folder, network, adapter) = Open(name);
        using var owned = network;
        using var numbers = SafetensorsFile.Open(Path.Combine(folder, "numbers.safetensors"));
        var names = network.named_parameters().Select(p => p.name).Where(n => !n.Contains("lora_", StringComparison.Ordinal) && !n.Contains("ia3_", StringComparison.Ordinal)).ToList();

        adapter.Merge();

        using var mode = no_grad();
        AssertNear("merged_logits", numbers.Read("merged_logits"), network.forward(numbers.Read("pixel_values")));
        Assert.Equal(names, network.named_parameters().Select(p => p.name));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Saved_again_its_files_are_the_same_bytes(string name)
    {
        var (folder, network, adapter) = Open(name);
        using var owned = network;
        using var saved = new TemporaryFolder();

        adapter.Save(saved.Path);

        foreach (var file in new[] { "adapter_config.json", "adapter_model.safetensors" })
        {
            Assert.True(File.ReadAllBytes(Path.Combine(folder, file)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(saved.Path, file))), $"{name}: {file} differs");
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void In_the_other_spelling_it_is_the_same_adapter(string name)
    {
        using var scope = NewDisposeScope();
        var (folder, network, adapter) = Open(name);
        using var owned = network;
        using var saved = new TemporaryFolder();
        using var numbers = SafetensorsFile.Open(Path.Combine(folder, "numbers.safetensors"));
        var other = adapter.Spelling == AdapterSpelling.Transformers4 ? AdapterSpelling.Transformers5 : AdapterSpelling.Transformers4;
        var config = AdapterConfig.Load(folder);
        adapter.Save(saved.Path);
        adapter.Remove();

        var again = NetworkAdapter.Attach(network, AdapterPlan.Of(network, config), other);
        again.Load(Path.Combine(saved.Path, "adapter_model.safetensors"));
        again.Save(saved.Path);
        again.Remove();
        var third = NetworkAdapter.Attach(network, AdapterPlan.Of(network, config), adapter.Spelling);
        third.Load(Path.Combine(saved.Path, "adapter_model.safetensors"));

        using var mode = no_grad();
        AssertNear("logits", numbers.Read("logits"), network.forward(numbers.Read("pixel_values")));
    }

    private static (string Folder, ClassificationNetwork Network, NetworkAdapter Adapter) Open(string name)
    {
        var folder = Golden.Require("peft", name);
        var recorded = Base(folder);
        var network = (bool)recorded["timm"]! ? OfTimm((string)recorded["base"]!, folder) : OfCheckpoint((string)recorded["base"]!);
        network.eval();
        var spelling = NetworkAdapter.SpellingOf(Path.Combine(folder, "adapter_model.safetensors"), network) ?? AdapterSpelling.Transformers4;
        var adapter = NetworkAdapter.Attach(network, AdapterPlan.Of(network, AdapterConfig.Load(folder)), spelling);
        adapter.Load(Path.Combine(folder, "adapter_model.safetensors"));
        return (folder, network, adapter);
    }

    private static ClassificationNetwork OfCheckpoint(string name)
    {
        var location = ModelLocation.Find(VitGoldenTests.Folder(name));
        var network = Architectures.Build(location.Configuration);
        _ = ModelFolder.LoadWeights(network, location, ignoreMismatchedSizes: false);
        return network;
    }

    private static ClassificationNetwork OfTimm(string name, string folder)
    {
        using var numbers = SafetensorsFile.Open(Path.Combine(folder, "numbers.safetensors"));
        var network = CnnGoldenTests.Build(name, (int)numbers.Entry("logits").Shape[1]);
        using var mode = no_grad();
        foreach (var (key, value) in network.State())
        {
            CnnGoldenTests.Fill(key, value);
        }

        return network;
    }

    private static JsonNode Base(string folder) => PythonJson.Parse(File.ReadAllText(Path.Combine(folder, "base.json")))!;

    private static void AssertNear(string what, Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        var difference = (expected - actual).abs().max().item<float>();
        var allowed = Near * Math.Max(1, expected.abs().max().item<float>());
        Assert.True(difference <= allowed, $"{what}: differs by {difference}, allowed {allowed}");
    }
}
