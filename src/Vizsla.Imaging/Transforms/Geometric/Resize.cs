using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Resizes the picture, always with anti-aliasing.</summary>
/// <param name="Size">One number: the shorter side, the other follows the picture's shape; two: height and width; null: the longer side becomes <paramref name="MaxSize"/>.</param>
/// <param name="Interpolation">Filter; bilinear by default.</param>
/// <param name="MaxSize">Largest longer side, pixels; null sets no limit.</param>
/// <param name="Antialias">Without effect: pictures are always anti-aliased, as Pillow does.</param>
/// <remarks>Source: torchvision <c>v2.Resize</c>. Parity: exact.</remarks>
[Group(TransformGroup.Geometric)]
public sealed record Resize(
    [Parameter("size", Minimum = 1, Example = "[224, 224]")] ImageSize? Size,
    [Parameter("interpolation")] Interpolation Interpolation = Interpolation.Bilinear,
    [Parameter("max_size", Minimum = 1)] int? MaxSize = null,
    [Parameter("antialias")] bool Antialias = true) : ImageTransform
{
    /// <summary>Resizes to a height and a width.</summary>
    /// <param name="height">Pixels, at least 1.</param>
    /// <param name="width">Pixels, at least 1.</param>
    public Resize(int height, int width)
        : this(new ImageSize(height, width))
    {
    }

    /// <inheritdoc />
    public override bool IsRandom => false;

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => (Size, input) switch
    {
        ({ IsSide: false } exact, _) => (exact.Height, exact.Width),
        (_, { } known) => ResizedSize(known.Height, known.Width),
        _ => null,
    };

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        var (height, width) = ResizedSize(image.Height, image.Width);
        return height == image.Height && width == image.Width ? image : Resampler.Resize(image, width, height, Interpolation);
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        if (Size is null && MaxSize is null)
        {
            problems.Add("max_size must be given when size is null.");
        }

        if (MaxSize is { } limit && Size is { } size)
        {
            if (!size.IsSide)
            {
                problems.Add($"max_size belongs to a size of one number, the shorter side; size is {size}. Leave max_size out.");
            }
            else if (limit <= size.Height)
            {
                problems.Add($"max_size {limit} must be larger than size {size}, the shorter side.");
            }
        }
    }

    private (int Height, int Width) ResizedSize(int height, int width)
    {
        if (Size is { IsSide: false } exact)
        {
            return (exact.Height, exact.Width);
        }

        // torchvision truncates the longer side; the products stay whole numbers until one division.
        var (shorter, longer) = width <= height ? (width, height) : (height, width);
        int newShorter, newLonger;
        if (Size is { } side)
        {
            (newShorter, newLonger) = (side.Height, (int)((double)side.Height * longer / shorter));
            if (MaxSize is { } limit && newLonger > limit)
            {
                (newShorter, newLonger) = ((int)((double)limit * newShorter / newLonger), limit);
            }
        }
        else
        {
            (newShorter, newLonger) = ((int)((double)MaxSize!.Value * shorter / longer), MaxSize.Value);
        }

        return width <= height ? (newLonger, newShorter) : (newShorter, newLonger);
    }
}
