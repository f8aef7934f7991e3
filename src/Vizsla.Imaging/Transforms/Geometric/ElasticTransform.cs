using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Moves every pixel by a smooth random displacement, as seen through water.</summary>
/// <param name="Interpolation">Nearest or bilinear; bilinear by default.</param>
/// <param name="Fill">Color of what comes from outside; black by default.</param>
/// <remarks>Source: torchvision <c>v2.ElasticTransform</c>. Parity: exact.</remarks>
[Group(TransformGroup.Geometric)]
public sealed record ElasticTransform(
    [Parameter("interpolation")] Interpolation Interpolation = Interpolation.Bilinear,
    [Parameter("fill", Minimum = 0, Maximum = 255)] FillColor Fill = default) : ImageTransform
{
    /// <summary>Displaces by a given strength and smoothness.</summary>
    /// <param name="alpha">Strength of the displacement in pixels, along rows and along columns.</param>
    /// <param name="sigma">Smoothness: standard deviation of the blur in pixels, along rows and along columns.</param>
    public ElasticTransform(NumberOrPair alpha, NumberOrPair sigma)
        : this() => (Alpha, Sigma) = (alpha, sigma);

    /// <summary>Strength of the displacement in pixels, along rows and along columns; 50 by default.</summary>
    [Parameter("alpha")]
    public NumberOrPair Alpha { get; init; } = 50.0;

    /// <summary>Smoothness: standard deviation of the blur in pixels, along rows and along columns; 5 by default, 0 does not blur.</summary>
    [Parameter("sigma", Minimum = 0)]
    public NumberOrPair Sigma { get; init; } = 5.0;

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        var (width, height) = (image.Width, image.Height);
        var buffer = PixelPool<float>.Shared.Rent((2 * width * height) + width);
        var placesX = buffer.AsMemory(0, width * height);
        var placesY = buffer.AsMemory(width * height, width * height);
        var columns = buffer.AsMemory(2 * width * height, width);
        Draw(placesX, width, height, Sigma.Low, rng);
        Draw(placesY, width, height, Sigma.High, rng);
        Linspace.Fill(columns.Span, (-width + 1.0) / width, (width - 1.0) / width);
        var result = new Image(width, height);
        RowBands.Run(width, height, (from, to) =>
        {
            var line = new float[width];
            for (var y = from; y < to; y++)
            {
                var rowX = placesX.Span.Slice(y * width, width);
                var rowY = placesY.Span.Slice(y * width, width);
                line.AsSpan().Fill(Linspace.At((float)((-height + 1.0) / height), (float)((height - 1.0) / height), y, height));
                Displace(rowX, columns.Span, (float)Alpha.Low, width);
                Displace(rowY, line, (float)Alpha.High, height);
                GridSampler.SampleRow(image, rowX, rowY, Interpolation, Fill, result.Row(y));
            }
        });
        PixelPool<float>.Shared.Return(buffer);
        return result;
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        if (Interpolation is not (Interpolation.Nearest or Interpolation.Bilinear))
        {
            problems.Add($"interpolation is {PipelineText.ToCSharp(Interpolation)}; ElasticTransform samples with Nearest or Bilinear.");
        }
    }

    // Draws one axis of the displacement, from -1 to 1 and then smoothed.
    private void Draw(Memory<float> plane, int width, int height, double sigma, Rng rng)
    {
        rng.Fill(plane.Span);
        foreach (ref var value in plane.Span)
        {
            value = (value * 2) - 1;
        }

        if (sigma > 0)
        {
            var kernel = (int)((8 * sigma) + 1) | 1;
            Blur.Gaussian(plane, width, height, kernel, kernel, Sigma.Low, Sigma.High);
        }
    }

    // From a row of the drawn numbers to places: the strength in units of the picture's side is added to where each pixel lies.
    private static void Displace(Span<float> row, ReadOnlySpan<float> places, float alpha, float side)
    {
        ref var numbers = ref MemoryMarshal.GetReference(row);
        ref var start = ref MemoryMarshal.GetReference(places);
        var lanes = Vector512<float>.Count;
        var x = 0;
        for (; x + lanes <= row.Length; x += lanes)
        {
            var moved = Vector512.LoadUnsafe(ref numbers, (nuint)x) * Vector512.Create(alpha) / Vector512.Create(side);
            (Vector512.LoadUnsafe(ref start, (nuint)x) + moved).StoreUnsafe(ref numbers, (nuint)x);
        }

        for (; x < row.Length; x++)
        {
            row[x] = places[x] + (row[x] * alpha / side);
        }
    }
}
