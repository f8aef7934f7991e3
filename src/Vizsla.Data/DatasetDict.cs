using System.Collections;
using System.Diagnostics.CodeAnalysis;
using Vizsla.Datasets;
using Vizsla.Datasets.Readers;
using Vizsla.Datasets.Splits;

namespace Vizsla;

/// <summary>The splits of a dataset by name, in order: <c>train</c>, <c>validation</c>, <c>test</c>, then others.</summary>
/// <remarks>Source: <c>datasets.DatasetDict</c>.</remarks>
[SuppressMessage("Naming", "CA1710", Justification = "The name of the same type in datasets.")]
public sealed partial class DatasetDict : IReadOnlyDictionary<string, ImageDataset>
{
    private readonly List<KeyValuePair<string, ImageDataset>> _splits = [];
    private readonly Lazy<IReadOnlyList<LeftOut>> _leftOut = new(() => []);

    /// <summary>Makes the dictionary.</summary>
    /// <param name="splits">Names and datasets in order, no name twice.</param>
    /// <exception cref="ArgumentException">A name is there twice.</exception>
    public DatasetDict(params IEnumerable<KeyValuePair<string, ImageDataset>> splits)
    {
        ArgumentNullException.ThrowIfNull(splits);
        foreach (var (name, dataset) in splits)
        {
            if (ContainsKey(name))
            {
                throw new ArgumentException($"Split names must differ, but '{name}' is there twice.", nameof(splits));
            }

            _splits.Add(KeyValuePair.Create(name, dataset));
        }
    }

    internal DatasetDict(IEnumerable<KeyValuePair<string, ImageDataset>> splits, Func<IReadOnlyList<LeftOut>> findLeftOut)
        : this(splits) => _leftOut = new(findLeftOut);

    /// <summary>What lies in the folder that was loaded and is in no row: photos by reason, columns of a type that is not read; empty for a dataset that comes from no folder. Looked for at the first call.</summary>
    public IReadOnlyList<LeftOut> LeftOut => _leftOut.Value;

    /// <summary>Loads the splits of a folder, as its card or its files say.</summary>
    /// <param name="folder">Path of the folder.</param>
    /// <param name="options">What to do differently; null for nothing.</param>
    /// <exception cref="DatasetException">The folder holds no dataset that can be read.</exception>
    /// <remarks>Source: <c>load_dataset(folder)</c>.</remarks>
    public static DatasetDict Load(string folder, DatasetLoadOptions? options = null) => DatasetFolder.Load(folder, options ?? new());

    /// <summary>Number of splits.</summary>
    public int Count => _splits.Count;

    /// <summary>Names of the splits in order.</summary>
    public IEnumerable<string> Keys => _splits.Select(s => s.Key);

    /// <summary>The splits in order.</summary>
    public IEnumerable<ImageDataset> Values => _splits.Select(s => s.Value);

    /// <summary>The columns of the splits, which are the same in all of them.</summary>
    public Features Features => Count > 0 ? _splits[0].Value.Features : new Features();

    /// <summary>A split by name.</summary>
    /// <param name="key">Name of the split.</param>
    /// <exception cref="DatasetException">No such split.</exception>
    public ImageDataset this[string key] => TryGetValue(key, out var dataset)
        ? dataset
        : throw new DatasetException($"The dataset has no split '{key}'. Splits: {string.Join(", ", Keys)}.");

    /// <summary>The rows that an instruction names, in its order.</summary>
    /// <param name="instruction">Such as <c>train[:10%]</c> or <c>test+train[1:3]</c>; <c>all</c> is every split after the other.</param>
    /// <returns>One dataset; its <see cref="ImageDataset.Split"/> is the instruction.</returns>
    /// <exception cref="DatasetException">The instruction is malformed or names a split that is not there.</exception>
    /// <remarks>Source: <c>load_dataset(split=...)</c>. Parity: exact.</remarks>
    public ImageDataset Select(string instruction)
    {
        var text = instruction == "all" ? string.Join('+', Keys) : instruction;
        var slices = SplitInstruction.Parse(text).Resolve(_splits.Select(s => KeyValuePair.Create(s.Key, s.Value.Count)));
        return ImageDataset.Concatenate([.. slices.Select(s => this[s.Split].Select(Enumerable.Range(s.From, Math.Max(0, s.To - s.From))))], text);
    }

    /// <inheritdoc/>
    public bool ContainsKey(string key) => _splits.Any(s => s.Key == key);

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out ImageDataset value)
    {
        value = _splits.FirstOrDefault(s => s.Key == key).Value;
        return value is not null;
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, ImageDataset>> GetEnumerator() => _splits.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
