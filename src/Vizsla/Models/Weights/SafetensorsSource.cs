using static TorchSharp.torch;

namespace Vizsla.Models.Weights;

/// <summary>Weights in safetensors files.</summary>
internal sealed class SafetensorsSource : WeightSource
{
    private static readonly string[] _formats = ["pt", "tf", "flax", "mlx"];

    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, SafetensorsFile> _byName = new(StringComparer.Ordinal);

    public SafetensorsSource(IEnumerable<string> paths)
    {
        try
        {
            foreach (var path in paths)
            {
                Include(path);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public override IReadOnlyCollection<string> Names => _byName.Keys;

    public override IReadOnlyList<long> Shape(string name) => _byName[name].Entry(name).Shape;

    public override void CopyTo(string name, Tensor destination) => _byName[name].CopyTo(name, destination);

    public override void Dispose() => _files.ForEach(f => f.Dispose());

    private void Include(string path)
    {
        var file = SafetensorsFile.Open(path);
        _files.Add(file);
        if (file.Metadata is { } metadata && (!metadata.TryGetValue("format", out var format) || !_formats.Contains(format)))
        {
            throw new ModelLoadException(
                $"'{path}' does not contain the valid metadata: its format is '{metadata.GetValueOrDefault("format", "")}', expected one of {string.Join(", ", _formats)}. Save it with the metadata {{\"format\": \"pt\"}}.");
        }

        foreach (var tensor in file.Tensors)
        {
            _byName[tensor.Name] = file;
        }
    }
}
