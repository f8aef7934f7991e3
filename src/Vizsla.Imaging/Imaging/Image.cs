namespace Vizsla.Imaging;

/// <summary>A picture of 8-bit RGB pixels, interleaved row by row without padding.</summary>
/// <remarks>
/// The pixels lie in a pooled buffer that <see cref="Dispose"/> gives back; who creates an image disposes it, and a transform never disposes its argument.
/// Source: Pillow <c>Image</c> of mode RGB.
/// </remarks>
public sealed class Image : IDisposable
{
    private byte[]? _buffer;

    /// <summary>Makes an image whose pixels are not yet set (they hold whatever the pooled buffer held).</summary>
    /// <param name="width">Width in pixels, at least 1.</param>
    /// <param name="height">Height in pixels, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A side is below 1, or the picture would hold 2 GiB or more.</exception>
    public Image(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        var length = 3L * width * height;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Array.MaxLength, nameof(height));
        Width = width;
        Height = height;
        _buffer = PixelPool<byte>.Shared.Rent((int)length);
    }

    /// <summary>Makes an image for the result of a step, whose size is looked at before memory is taken.</summary>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <exception cref="ImageFormatException">It would have more pixels than <see cref="DecodeOptions.MaximumPixels"/> allows a file by default.</exception>
    internal static Image OfStep(int width, int height)
    {
        CheckStep(width, height);
        return new(width, height);
    }

    /// <summary>Refuses the size of a result that no step should make: a photo of 1 x 30000 pixels whose shorter side is resized to 256 would take 5.9 GB.</summary>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <exception cref="ImageFormatException">It would have more pixels than <see cref="DecodeOptions.MaximumPixels"/> allows a file by default.</exception>
    internal static void CheckStep(int width, int height)
    {
        if ((long)width * height > DecodeOptions.Default.MaximumPixels)
        {
            throw new ImageFormatException($"a step would make a picture of {width} x {height} pixels of it, more than the limit of {DecodeOptions.Default.MaximumPixels}");
        }
    }

    /// <summary>Makes an image from RGB bytes, which are copied.</summary>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="pixels">3 * width * height bytes: red, green, blue of each pixel, row by row from the top.</param>
    /// <exception cref="ArgumentException">The number of bytes does not fit the size.</exception>
    public Image(int width, int height, ReadOnlySpan<byte> pixels)
        : this(width, height)
    {
        if (pixels.Length != Pixels.Length)
        {
            Dispose();
            throw new ArgumentException(Invariant($"A {width}x{height} RGB image has {3L * width * height} bytes, got {pixels.Length}."), nameof(pixels));
        }

        pixels.CopyTo(Pixels);
    }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>The 3 * Width * Height bytes: red, green, blue of each pixel, row by row from the top.</summary>
    /// <exception cref="ObjectDisposedException">The image was disposed.</exception>
    public Span<byte> Pixels => Buffer.AsSpan(0, 3 * Width * Height);

    /// <summary>One row of 3 * Width bytes.</summary>
    /// <param name="y">Row from the top, 0 to Height - 1.</param>
    public Span<byte> Row(int y) => Buffer.AsSpan(3 * Width * y, 3 * Width);

    private byte[] Buffer => _buffer ?? throw new ObjectDisposedException(nameof(Image));

    /// <summary>A copy with pixels of its own; the caller owns it.</summary>
    public Image Clone() => new(Width, Height, Pixels);

    /// <summary>Gives the pixels back to the pool.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            PixelPool<byte>.Shared.Return(buffer);
        }
    }
}
