namespace Vizsla.Transforms;

/// <summary>The color of pixels that come from outside the picture.</summary>
/// <param name="Red">0 to 255.</param>
/// <param name="Green">0 to 255.</param>
/// <param name="Blue">0 to 255.</param>
/// <remarks>Source: torchvision's <c>fill</c>; its <c>None</c> and 0 are both black.</remarks>
public readonly record struct FillColor(int Red, int Green, int Blue)
{
    /// <summary>The same level in all three channels.</summary>
    public static implicit operator FillColor(int level) => new(level, level, level);

    /// <summary>Red, green, blue.</summary>
    public static implicit operator FillColor((int Red, int Green, int Blue) color) => new(color.Red, color.Green, color.Blue);

    internal bool IsValid => (uint)Red <= 255 && (uint)Green <= 255 && (uint)Blue <= 255;

    /// <inheritdoc />
    public override string ToString() => Red == Green && Green == Blue
        ? FormattableString.Invariant($"{Red}")
        : FormattableString.Invariant($"({Red}, {Green}, {Blue})");
}
