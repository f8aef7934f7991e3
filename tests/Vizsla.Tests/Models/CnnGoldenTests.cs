using System.Text;
using System.Text.Json.Nodes;
using TorchSharp;
using Vizsla.Models;
using Vizsla.Models.Weights;
using Vizsla.Native;
using Vizsla.Testing;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models;

/// <summary>The networks of timm below <c>cnn/</c> and <c>timm/</c>: names, shapes and order of every tensor, and logits of weights filled by a rule.</summary>
[Trait("Category", "Golden")]
public sealed partial class CnnGoldenTests
{
    // golden/README.md: logits 1e-4.
    private const double Near = 1e-4;

    private static readonly string[] _folders = ["cnn", "timm"];

    /// <summary>Every network as <c>folder/name</c>.</summary>
    public static TheoryData<string> Recorded()
    {
        var found = _folders
            .Select(f => Path.Combine(Golden.Root, f))
            .Where(Directory.Exists)
            .SelectMany(f => Directory.EnumerateFiles(f, "*.json"))
            .Where(f => Read(f)["state"] is JsonArray)
            .Select(f => $"{Path.GetFileName(Path.GetDirectoryName(f))}/{Path.GetFileNameWithoutExtension(f)}")
            .Order(StringComparer.Ordinal);
        return [.. found.DefaultIfEmpty("(none)")];
    }

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Names_shapes_and_order_are_those_of_timm(string name)
    {
        var recorded = Read(Golden.Require(name + ".json"));
        using var network = Build(recorded);

        var state = network.State().Select(s => $"{s.Name} [{string.Join(", ", s.Value.shape)}] {s.Value.dtype}").ToList();
        var parameters = network.named_parameters().Select(p => p.name).ToList();

        Assert.Equal(
            recorded["state"]!.AsArray().Select(s => $"{s![0]} [{string.Join(", ", s[1]!.AsArray().Select(n => (long)n!))}] {Type((string)s[2]!)}"),
            state);
        Assert.Equal(recorded["parameters"]!.AsArray().Select(p => (string)p!).Order(StringComparer.Ordinal), parameters.Order(StringComparer.Ordinal));
        Assert.Equal(
            recorded["parameters"]!.AsArray().Select(p => (string)p!),
            network.State().Where(s => s.Value.requires_grad).Select(s => s.Name));
    }

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Logits_of_weights_filled_by_rule_are_those_of_timm(string name)
    {
        var recorded = Read(Golden.Require(name + ".json"));
        using var numbers = SafetensorsFile.Open(Golden.Require(name.Split('/')[0], "numbers.safetensors"));
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        var (network, pixels) = Filled(recorded);
        using var _ = network;
        var model = name.Split('/')[1];
        var logits = network.forward(pixels);

        var sum = numbers.Read($"{model}.input_sum").item<double>();
        Assert.Equal(sum, pixels.to_type(ScalarType.Float64).sum().item<double>(), 1e-6 * Math.Abs(sum) + 1e-3);
        AssertNear(name, numbers.Read($"{model}.logits"), logits, Near);
    }

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Default_settings_are_those_of_timm(string name)
    {
        var recorded = Read(Golden.Require(name + ".json"))["config"]!;

        var architecture = (string)recorded["architecture"]!;
        Require(architecture);

        var own = Architectures.Variant(architecture).Json["pretrained_cfg"]!;

        foreach (var key in new[] { "tag", "input_size", "mean", "std", "interpolation", "crop_pct", "crop_mode", "classifier", "first_conv", "pool_size" })
        {
            Assert.True(JsonNode.DeepEquals(Loose(recorded[key]), Loose(own[key])), $"{key}: {recorded[key]?.ToJsonString()} and {own[key]?.ToJsonString()}");
        }
    }

    /// <summary>Numbers as doubles, so that 1 equals 1.0.</summary>
    private static JsonNode? Loose(JsonNode? node) => node switch
    {
        JsonArray list => new JsonArray([.. list.Select(Loose)]),
        JsonValue value when value.GetValueKind() == System.Text.Json.JsonValueKind.Number => JsonValue.Create(double.Parse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture)),
        _ => node?.DeepClone(),
    };

    /// <summary>A recorded network with the weights of the rule, and the pictures that it was asked about.</summary>
    internal static (ClassificationNetwork Network, Tensor Pixels) Filled(JsonNode recorded)
    {
        var network = Build(recorded);
        network.eval();
        foreach (var (key, value) in network.State())
        {
            Fill(key, value);
        }

        var side = (long)recorded["side"]!;
        using var generator = new Generator((ulong)(long)recorded["seed"]!);
        return (network, randn([2, 3, side, side], generator: generator));
    }

    private static ClassificationNetwork Build(JsonNode recorded) =>
        Build((string)recorded["config"]!["architecture"]!, (int)recorded["state"]!.AsArray()[^1]![1]![0]!);

    internal static ClassificationNetwork Build(string name, int classes)
    {
        Require(name);
        var configuration = Architectures.Variant(name);
        configuration.SetLabels([.. Enumerable.Range(0, classes).Select(i => $"class {i}")]);
        return Architectures.Build(configuration);
    }

    private static void Require(string architecture)
    {
        if (!Architectures.Variants.Contains(architecture))
        {
            Assert.Skip($"skipped: needs the architecture '{architecture}', which is not built");
        }
    }

    /// <summary>The rule of <c>make/cnn.py</c>.</summary>
    internal static void Fill(string name, Tensor value)
    {
        if (!value.is_floating_point())
        {
            return;
        }

        using var scope = NewDisposeScope();
        using var generator = new Generator(Crc32.Of(Encoding.UTF8.GetBytes(name)));
        if (name.EndsWith("running_var", StringComparison.Ordinal))
        {
            value.copy_(rand(value.shape, generator: generator).Plus(1));
            return;
        }

        var drawn = randn(value.shape, generator: generator);
        value.copy_(value.dim() >= 2 ? drawn.Over(Math.Sqrt(value[0].NumberOfElements))
            : name.EndsWith("running_mean", StringComparison.Ordinal) || name.EndsWith("bias", StringComparison.Ordinal) ? drawn.Times(0.1)
            : drawn.Times(0.1).Plus(1));
    }

    private static ScalarType Type(string name) => name == "int64" ? ScalarType.Int64 : ScalarType.Float32;

    internal static JsonNode Read(string path) => JsonNode.Parse(File.ReadAllText(path))!;
}
