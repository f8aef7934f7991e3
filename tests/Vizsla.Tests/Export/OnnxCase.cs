using System.Text.Json.Nodes;
using Vizsla.Models;
using Vizsla.Models.Weights;
using Vizsla.Testing;
using Vizsla.Tests.Models;
using static TorchSharp.torch;

namespace Vizsla.Tests.Export;

/// <summary>A recorded network with its pictures and logits, whichever of <c>vit/</c>, <c>cnn/</c> and <c>timm/</c> it is in.</summary>
internal sealed class OnnxCase : IDisposable
{
    // Networks with more parameters take seconds each.
    private const long LargeParameters = 10_000_000;

    private readonly IDisposable _owner;

    private OnnxCase(string name, IDisposable owner, ClassificationNetwork network, Tensor pixels, Tensor logits) =>
        (Name, _owner, Network, Pixels, Logits) = (name, owner, network, pixels, logits);

    public string Name { get; }

    public ClassificationNetwork Network { get; }

    /// <summary>Float [B, C, H, W].</summary>
    public Tensor Pixels { get; }

    /// <summary>What Python recorded, float [B, L].</summary>
    public Tensor Logits { get; }

    public (int Channels, int Height, int Width) Size => ((int)Pixels.shape[1], (int)Pixels.shape[2], (int)Pixels.shape[3]);

    /// <summary>The cases as <c>folder/name</c>.</summary>
    public static TheoryData<string> Find(bool isLarge)
    {
        var small = VitGoldenTests.Checkpoints().Select(row => "vit/" + row.Data);
        var filled = CnnGoldenTests.Recorded().Select(row => row.Data).Where(name => name == "(none)" || IsLarge(name) == isLarge);
        return [.. (isLarge ? filled : small.Concat(filled)).DefaultIfEmpty("(none)")];
    }

    /// <summary>Builds the network; skips the test where its architecture is not there.</summary>
    public static OnnxCase Open(string name)
    {
        var parts = name.Split('/');
        if (parts is ["vit", var checkpoint])
        {
            var folder = VitGoldenTests.Folder(checkpoint);
            var classifier = ImageClassifier.FromPretrained(folder);
            VitGoldenTests.Arrange(classifier.Network, folder);
            using var recorded = SafetensorsFile.Open(Path.Combine(folder, "numbers.safetensors"));
            return new(name, classifier, classifier.Network, recorded.Read("pixel_values"), recorded.Read("logits"));
        }

        var description = CnnGoldenTests.Read(Golden.Require(name + ".json"));
        using var numbers = SafetensorsFile.Open(Golden.Require(parts[0], "numbers.safetensors"));
        using var mode = no_grad();
        var (network, pixels) = CnnGoldenTests.Filled(description);
        return new(name, network, network, pixels, numbers.Read($"{parts[1]}.logits"));
    }

    public void Dispose()
    {
        Pixels.Dispose();
        Logits.Dispose();
        _owner.Dispose();
    }

    private static bool IsLarge(string name) =>
        CnnGoldenTests.Read(Path.Combine(Golden.Root, name + ".json"))["state"]!.AsArray()
            .Sum(tensor => tensor![1]!.AsArray().Aggregate(1L, (product, length) => product * (long)length!)) > LargeParameters;
}
