using System.Globalization;
using Vizsla.Primitives;

namespace Vizsla.Datasets;

/// <summary>A column of class numbers with their names.</summary>
/// <param name="Names">Names in the order of their numbers.</param>
/// <remarks>Source: <c>datasets.ClassLabel</c>. Parity: exact, texts of the errors included.</remarks>
public sealed record ClassLabel(LabelSet Names) : Feature
{
    /// <summary>Makes the feature from names in the order of their numbers.</summary>
    /// <param name="names">At least one name, none twice.</param>
    public ClassLabel(IEnumerable<string> names)
        : this(new LabelSet(names))
    {
    }

    /// <summary>Number of classes.</summary>
    public int NumClasses => Names.Count;

    /// <summary>Name of a class.</summary>
    /// <param name="value">Number from 0 to NumClasses - 1.</param>
    /// <exception cref="DatasetException">The number is outside.</exception>
    public string Int2Str(long value) => value >= 0 && value < Names.Count
        ? Names[(int)value]
        : throw new DatasetException(Invariant($"Invalid integer class label {value}"));

    /// <summary>Number of a class: the exact name, else the name without spaces around it, else the number that the text spells.</summary>
    /// <param name="value">Name or number as text.</param>
    /// <exception cref="DatasetException">No such class.</exception>
    public int Str2Int(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var index = Names.IndexOf(value);
        index = index >= 0 ? index : Names.IndexOf(value.Trim());
        if (index >= 0)
        {
            return index;
        }

        return int.TryParse(value.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= -1 && number < Names.Count
            ? number
            : throw new DatasetException($"Invalid string class label {value}");
    }

    /// <summary>Checks a number for storing; -1 stands for an unknown class.</summary>
    /// <param name="value">Number from -1 to NumClasses - 1.</param>
    /// <returns>The number.</returns>
    /// <exception cref="DatasetException">The number is outside.</exception>
    public long EncodeExample(long value) => value >= -1 && value < Names.Count
        ? value
        : throw new DatasetException(Invariant($"Class label {value} greater than configured num_classes {Names.Count}"));
}
