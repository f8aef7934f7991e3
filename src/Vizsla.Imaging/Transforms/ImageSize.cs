namespace Vizsla.Transforms;

/// <summary>A size in pixels: one side, or height and width in torchvision's order.</summary>
/// <remarks>
/// One side means the shorter one in <c>Resize</c> and a square elsewhere. Source: torchvision parameters of type <c>int | (int, int)</c>.
/// </remarks>
public readonly record struct ImageSize
{
    /// <summary>One side.</summary>
    /// <param name="side">Pixels.</param>
    public ImageSize(int side) => Height = side;

    /// <summary>Height and width.</summary>
    /// <param name="height">Pixels.</param>
    /// <param name="width">Pixels.</param>
    public ImageSize(int height, int width) => (Height, ExplicitWidth) = (height, width);

    /// <summary>Height, or the one side.</summary>
    public int Height { get; }

    /// <summary>Width; the one side where only that was given.</summary>
    public int Width => ExplicitWidth ?? Height;

    /// <summary>Whether only one side was given.</summary>
    public bool IsSide => ExplicitWidth is null;

    private int? ExplicitWidth { get; }

    /// <summary>One side.</summary>
    public static implicit operator ImageSize(int side) => new(side);

    /// <summary>Height and width.</summary>
    public static implicit operator ImageSize((int Height, int Width) size) => new(size.Height, size.Width);

    /// <inheritdoc />
    public override string ToString() => IsSide
        ? FormattableString.Invariant($"{Height}")
        : FormattableString.Invariant($"({Height}, {Width})");
}
