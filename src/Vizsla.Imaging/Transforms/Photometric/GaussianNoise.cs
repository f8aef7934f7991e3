using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Adds normal noise to every level.</summary>
/// <param name="Mean">Mean of the noise, as a share of 255.</param>
/// <param name="Sigma">Standard deviation of the noise, as a share of 255.</param>
/// <param name="Clip">Whether levels stay within 0 to 255; otherwise they wrap around.</param>
/// <remarks>Source: torchvision <c>v2.GaussianNoise</c> on 8-bit tensors; it refuses Pillow's pictures. Parity: exact.</remarks>
[Group(TransformGroup.Photometric)]
public sealed record GaussianNoise(
    [Parameter("mean")] double Mean = 0,
    [Parameter("sigma", Minimum = 0)] double Sigma = 0.1,
    [Parameter("clip")] bool Clip = true) : ImageTransform
{
    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        var source = image.Pixels;
        var plane = image.Width * image.Height;
        var noise = PixelPool<float>.Shared.Rent(source.Length);
        rng.Normal(noise.AsSpan(0, source.Length));
        var result = new Image(image.Width, image.Height);
        var target = result.Pixels;
        var (mean, sigma) = ((float)(Mean * 255), (float)(Sigma * 255));
        for (var i = 0; i < source.Length; i++)
        {
            // Tensors lie channel by channel.
            var level = source[i] + (int)((noise[((i % 3) * plane) + (i / 3)] * sigma) + mean);
            target[i] = Clip ? (byte)Math.Clamp(level, 0, 255) : unchecked((byte)level);
        }

        PixelPool<float>.Shared.Return(noise);
        return result;
    }
}
