using System.Buffers;
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
    /// <summary>Displaces by a strength and a smoothness of one's own.</summary>
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
        var buffer = ArrayPool<float>.Shared.Rent(2 * width * height);
        var placesX = buffer.AsSpan(0, width * height);
        var placesY = buffer.AsSpan(width * height, width * height);
        Displace(placesX, width, height, Sigma.Low, Alpha.Low, width, rng);
        Displace(placesY, width, height, Sigma.High, Alpha.High, height, rng);
        var result = new Image(width, height);
        for (var y = 0; y < height; y++)
        {
            var rowX = placesX.Slice(y * width, width);
            var rowY = placesY.Slice(y * width, width);
            var place = Linspace.At((float)((-height + 1.0) / height), (float)((height - 1.0) / height), y, height);
            for (var x = 0; x < width; x++)
            {
                rowX[x] = Linspace.At((float)((-width + 1.0) / width), (float)((width - 1.0) / width), x, width) + rowX[x];
                rowY[x] = place + rowY[x];
            }

            GridSampler.SampleRow(image, rowX, rowY, Interpolation, Fill, result.Row(y));
        }

        ArrayPool<float>.Shared.Return(buffer);
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

    // Draws one axis of the displacement in units of the picture's side.
    private void Displace(Span<float> plane, int width, int height, double sigma, double alpha, int side, Rng rng)
    {
        foreach (ref var value in plane)
        {
            value = (rng.NextSingle() * 2) - 1;
        }

        if (sigma > 0)
        {
            var kernel = (int)((8 * sigma) + 1) | 1;
            Blur.Gaussian(plane, width, height, kernel, kernel, Sigma.Low, Sigma.High);
        }

        foreach (ref var value in plane)
        {
            value = value * (float)alpha / side;
        }
    }
}
