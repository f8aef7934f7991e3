using static TorchSharp.torch;

namespace Vizsla.Models.Weights;

/// <summary>Named weights in one or several files of a folder.</summary>
internal abstract class WeightSource : IDisposable
{
    /// <summary>Names of the weights, as the files spell them.</summary>
    public abstract IReadOnlyCollection<string> Names { get; }

    /// <summary>Shape of a weight.</summary>
    public abstract IReadOnlyList<long> Shape(string name);

    /// <summary>Copies a weight into a tensor of the same shape, converting its type.</summary>
    public abstract void CopyTo(string name, Tensor destination);

    /// <summary>Opens what a model folder holds, in transformers' order of preference.</summary>
    /// <exception cref="ModelLoadException">It holds no weights, or they cannot be read.</exception>
    public static WeightSource Open(string folder)
    {
        foreach (var (name, open) in new (string, Func<string, WeightSource>)[]
        {
            ("model.safetensors", path => new SafetensorsSource([path])),
            ("model.safetensors.index.json", path => new SafetensorsSource(ShardIndex.Files(path))),
            ("pytorch_model.bin", path => new PickleSource([path])),
            ("pytorch_model.bin.index.json", path => new PickleSource(ShardIndex.Files(path))),
        })
        {
            var path = Path.Combine(folder, name);
            if (File.Exists(path))
            {
                return open(path);
            }
        }

        throw new ModelLoadException(
            $"'{folder}' holds no weights; expected model.safetensors, pytorch_model.bin, or the .index.json of either with its parts.");
    }

    /// <summary>Opens one file of either kind.</summary>
    /// <exception cref="ModelLoadException">It cannot be read.</exception>
    public static WeightSource OpenFile(string path) =>
        path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) ? new SafetensorsSource([path]) : new PickleSource([path]);

    public abstract void Dispose();
}
