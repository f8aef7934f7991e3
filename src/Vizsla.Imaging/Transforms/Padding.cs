namespace Vizsla.Transforms;

/// <summary>Width of a border in pixels; negative cuts off.</summary>
/// <param name="Left">Pixels on the left.</param>
/// <param name="Top">Pixels on top.</param>
/// <param name="Right">Pixels on the right.</param>
/// <param name="Bottom">Pixels at the bottom.</param>
/// <remarks>Source: torchvision's <c>padding</c>: one number, (left and right, top and bottom), or (left, top, right, bottom).</remarks>
public readonly record struct Padding(int Left, int Top, int Right, int Bottom)
{
    /// <summary>The same on all sides.</summary>
    public static implicit operator Padding(int all) => new(all, all, all, all);

    /// <summary>Left and right, then top and bottom.</summary>
    public static implicit operator Padding((int LeftRight, int TopBottom) pair) => new(pair.LeftRight, pair.TopBottom, pair.LeftRight, pair.TopBottom);

    /// <summary>Left, top, right, bottom.</summary>
    public static implicit operator Padding((int Left, int Top, int Right, int Bottom) sides) => new(sides.Left, sides.Top, sides.Right, sides.Bottom);

    /// <inheritdoc />
    public override string ToString() => Left == Right && Top == Bottom
        ? Left == Top ? FormattableString.Invariant($"{Left}") : FormattableString.Invariant($"({Left}, {Top})")
        : FormattableString.Invariant($"({Left}, {Top}, {Right}, {Bottom})");
}

/// <summary>What a border around a picture is made of.</summary>
/// <remarks>Source: torchvision's <c>padding_mode</c>.</remarks>
public enum PaddingMode
{
    /// <summary>One color.</summary>
    Constant,

    /// <summary>The last pixel of the picture, again and again.</summary>
    Edge,

    /// <summary>The picture mirrored without its last pixel.</summary>
    Reflect,

    /// <summary>The picture mirrored with its last pixel.</summary>
    Symmetric,
}
