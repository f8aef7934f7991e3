using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>A conversion that makes the same float of the same level wherever it stands.</summary>
public abstract record PointwiseConversion : ConversionTransform
{
    private protected PointwiseConversion()
    {
    }

    /// <inheritdoc />
    public sealed override void Convert(Image image, ImageTensor destination)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(destination);
        LevelTable.Apply(LevelTable.Build(this, []), image, destination);
    }

    /// <summary>The float that a level becomes.</summary>
    /// <param name="level">0 to 255.</param>
    internal abstract float Convert(byte level);
}
