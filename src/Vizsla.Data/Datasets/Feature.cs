namespace Vizsla.Datasets;

/// <summary>The type of one column of a dataset.</summary>
/// <remarks>Source: <c>datasets.features</c>.</remarks>
public abstract record Feature
{
    private protected Feature()
    {
    }
}

/// <summary>A picture: values are <see cref="ImageSource"/>.</summary>
/// <param name="Mode">Pillow mode that Python converts to when it decodes; null keeps the file's own. Vizsla always decodes to RGB.</param>
/// <param name="Decode">False where Python hands out path and bytes instead of a decoded picture; kept for the files only.</param>
/// <remarks>Source: <c>datasets.Image</c>.</remarks>
public sealed record ImageFeature(string? Mode = null, bool Decode = true) : Feature;

/// <summary>A plain value: <see cref="long"/>, <see cref="double"/>, <see cref="bool"/>, <see cref="string"/> and so on.</summary>
/// <param name="DType">Arrow's name of the type, such as <c>int64</c>, <c>float64</c>, <c>bool</c>, <c>string</c>.</param>
/// <remarks>Source: <c>datasets.Value</c>.</remarks>
public sealed record ValueFeature(string DType) : Feature;

/// <summary>A list: values are <c>IReadOnlyList&lt;object?&gt;</c>.</summary>
/// <param name="Element">Type of the elements.</param>
/// <param name="Length">Fixed length, or -1.</param>
/// <remarks>Source: <c>datasets.List</c> (<c>Sequence</c> in older files).</remarks>
public sealed record ListFeature(Feature Element, int Length = -1) : Feature;

/// <summary>Named values: values are <c>IReadOnlyDictionary&lt;string, object?&gt;</c>.</summary>
/// <param name="Fields">Types by name.</param>
/// <remarks>Source: a <c>dict</c> in <c>datasets.Features</c>.</remarks>
public sealed record StructFeature(Features Fields) : Feature;

/// <summary>A feature this version has no class for; kept as it was read so that nothing is lost when it is written again.</summary>
/// <param name="Json">The feature as the metadata spells it.</param>
public sealed record OtherFeature(string Json) : Feature;
