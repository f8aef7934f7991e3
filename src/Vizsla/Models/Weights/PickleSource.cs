using static TorchSharp.torch;

namespace Vizsla.Models.Weights;

/// <summary>Weights in <c>pytorch_model.bin</c> files.</summary>
internal sealed class PickleSource : WeightSource
{
    private readonly List<PickleCheckpoint> _files = [];
    private readonly Dictionary<string, PickleCheckpoint> _byName = new(StringComparer.Ordinal);

    public PickleSource(IEnumerable<string> paths)
    {
        try
        {
            foreach (var path in paths)
            {
                var file = PickleCheckpoint.Open(path);
                _files.Add(file);
                foreach (var name in file.Tensors.Keys)
                {
                    _byName[name] = file;
                }
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public override IReadOnlyCollection<string> Names => _byName.Keys;

    public override IReadOnlyList<long> Shape(string name) => _byName[name].Tensors[name].Shape;

    public override void CopyTo(string name, Tensor destination)
    {
        using var mode = no_grad();
        using var read = _byName[name].Read(_byName[name].Tensors[name]);
        destination.copy_(read);
    }

    public override void Dispose() => _files.ForEach(f => f.Dispose());
}
