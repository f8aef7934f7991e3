using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Models.Weights;

/// <summary>Fills a network from named weights and says what did not fit.</summary>
/// <remarks>Source: transformers <c>from_pretrained</c>: the rule of the base prefix, legacy names, what is missing, left over or of another shape.</remarks>
internal static class WeightLoader
{
    internal const string BatchCount = "num_batches_tracked";

    private static readonly string[] _wrappers = ["_orig_mod.", "module."];

    /// <summary>Copies every weight that fits.</summary>
    /// <param name="network">A network whose weights may hold anything.</param>
    /// <param name="source">Named weights.</param>
    /// <param name="origin">The folder or name, for the report.</param>
    public static LoadReport Load(ClassificationNetwork network, WeightSource source, string origin)
    {
        network.KeepExtras(source.Names);
        var own = network.State().ToDictionary(s => s.Name, s => s.Value, StringComparer.Ordinal);
        var names = ModelNames(network, source.Names, own);
        var unexpected = new List<string>();
        var mismatched = new List<ShapeMismatch>();
        var missing = own.Keys.ToHashSet(StringComparer.Ordinal);
        using var mode = no_grad();
        foreach (var (fileName, name) in names)
        {
            if (!own.TryGetValue(name, out var destination))
            {
                unexpected.Add(fileName);
                continue;
            }

            missing.Remove(name);
            var shape = source.Shape(fileName);
            if (shape.SequenceEqual(destination.shape))
            {
                source.CopyTo(fileName, destination);
            }
            else if (network.Reshaped(name, shape) is { } reshaped && reshaped.SequenceEqual(destination.shape))
            {
                using var view = destination.view([.. shape]);
                source.CopyTo(fileName, view);
            }
            else
            {
                mismatched.Add(new ShapeMismatch(name, shape, destination.shape));
            }
        }

        // Files of old versions do not count the batches of a batch norm; nothing depends on the count.
        foreach (var count in missing.Where(n => n.EndsWith(BatchCount, StringComparison.Ordinal)).ToList())
        {
            own[count].fill_(Kept(0));
            missing.Remove(count);
        }

        var order = own.Keys.Index().ToDictionary(k => k.Item, k => k.Index, StringComparer.Ordinal);
        return new LoadReport(
            network.ClassName, origin, [.. own.Keys.Where(missing.Contains)], unexpected, [.. mismatched.OrderBy(m => order[m.Name])]);
    }

    private static List<(string FileName, string Name)> ModelNames(
        ClassificationNetwork network, IReadOnlyCollection<string> fileNames, Dictionary<string, Tensor> own)
    {
        var prefix = network.BasePrefix;
        var addsPrefix = prefix.Length > 0 && !fileNames.Any(n => Unwrapped(n).StartsWith(prefix, StringComparison.Ordinal));
        var names = new List<(string, string)>(fileNames.Count);
        foreach (var fileName in fileNames)
        {
            if (network.NameOf(Modern(Unwrapped(fileName))) is { } name)
            {
                names.Add((fileName, addsPrefix && !own.ContainsKey(name) ? prefix + name : name));
            }
        }

        return names;
    }

    /// <summary>Without the prefixes of <c>torch.compile</c> and of parallel training.</summary>
    /// <remarks>Source: timm <c>clean_state_dict</c>.</remarks>
    private static string Unwrapped(string name)
    {
        while (_wrappers.FirstOrDefault(w => name.StartsWith(w, StringComparison.Ordinal)) is { } wrapper)
        {
            name = name[wrapper.Length..];
        }

        return name;
    }

    private static string Modern(string name) =>
        name.EndsWith("LayerNorm.gamma", StringComparison.Ordinal) ? name[..^"gamma".Length] + "weight"
        : name.EndsWith("LayerNorm.beta", StringComparison.Ordinal) ? name[..^"beta".Length] + "bias"
        : name;
}
