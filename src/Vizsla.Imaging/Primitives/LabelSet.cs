using System.Collections;

namespace Vizsla.Primitives;

/// <summary>The names of the classes in the order of their numbers, and back.</summary>
/// <remarks>Source: <c>id2label</c> and <c>label2id</c> of transformers, <c>ClassLabel.names</c> of datasets. Equal when the names are.</remarks>
public sealed class LabelSet : IReadOnlyList<string>, IEquatable<LabelSet>
{
    private readonly string[] _names;
    private readonly Dictionary<string, int> _numbers;

    /// <summary>Makes a set from names in the order of their numbers.</summary>
    /// <param name="names">At least one name, none twice.</param>
    /// <exception cref="ArgumentException">No name, or a name twice.</exception>
    public LabelSet(IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        _names = [.. names];
        _numbers = new(_names.Length, StringComparer.Ordinal);
        if (_names.Length == 0)
        {
            throw new ArgumentException("A label set needs at least one name, got none.", nameof(names));
        }

        for (var i = 0; i < _names.Length; i++)
        {
            if (!_numbers.TryAdd(_names[i], i))
            {
                throw new ArgumentException($"Class names must differ, but '{_names[i]}' is there twice (numbers {_numbers[_names[i]]} and {i}).", nameof(names));
            }
        }
    }

    /// <summary>Number of classes.</summary>
    public int Count => _names.Length;

    /// <summary>Name of a class.</summary>
    /// <param name="index">Number from 0 to Count - 1.</param>
    public string this[int index] => _names[index];

    /// <summary>Makes the set of the distinct names in Unicode code point order, as an image folder numbers its classes.</summary>
    /// <param name="names">Names in any order, repeated or not.</param>
    public static LabelSet Sorted(IEnumerable<string> names) => new(names.Distinct(StringComparer.Ordinal).Order(CodePointComparer.Instance));

    /// <summary>Number of a class, or -1 where the name is unknown.</summary>
    /// <param name="name">Exact name.</param>
    public int IndexOf(string name) => _numbers.GetValueOrDefault(name, -1);

    /// <inheritdoc/>
    public bool Equals(LabelSet? other) => other is not null && _names.AsSpan().SequenceEqual(other._names);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LabelSet);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var name in _names)
        {
            hash.Add(name, StringComparer.Ordinal);
        }

        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public IEnumerator<string> GetEnumerator() => ((IEnumerable<string>)_names).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
