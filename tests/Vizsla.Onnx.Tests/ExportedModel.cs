using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Onnx.Tests;

/// <summary>A small model with its export, and photos that it is asked about.</summary>
public sealed class ExportedModel : IDisposable
{
    public const int Side = 32;

    private readonly TemporaryFolder _folder = new();

    public ExportedModel()
    {
        Network = ImageClassifier.Create("vit-nano", ["cat", "dog", "fish"], Side, seed: 3);
        Network.Save(Folder);
        Network.ExportOnnx(Path.Combine(Folder, "onnx"));
        Photos = [.. new[] { "butterfly", "fish", "giraffe", "rabbit" }.Select((animal, i) => Paint(animal, 40 + (7 * i), i))];
    }

    public ImageClassifier Network { get; }

    /// <summary>Configuration, preprocessing, weights, and <c>onnx/model.onnx</c>.</summary>
    public string Folder => _folder["model"];

    public IReadOnlyList<string> Photos { get; }

    public string File(string name) => _folder[name];

    public void Dispose()
    {
        Network.Dispose();
        _folder.Dispose();
    }

    private string Paint(string animal, int side, int seed)
    {
        var file = _folder[$"{animal}.png"];
        using var image = AnimalPainter.Paint(animal, side, new Rng((ulong)seed));
        ImageCodec.SavePng(image, file);
        return file;
    }
}
