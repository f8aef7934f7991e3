using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Vizsla.Imaging.Jpeg;

/// <summary>Decodes Huffman-coded JPEG files, sequential and progressive. An instance is used again and again, by one thread at a time.</summary>
/// <remarks>Source: libjpeg-turbo 3 with the settings of Pillow's <c>JpegDecode.c</c> (accurate DCT, smooth upsampling). Parity: exact.</remarks>
internal sealed unsafe class JpegDecoder
{
    private const long LargestKept = 64 << 20;
    private static readonly ConcurrentBag<JpegDecoder> Idle = [];

    private readonly JpegReader _reader = new();
    private readonly ScanDecoder _scan;
    private readonly SampleRows _rows = new();
    private readonly Scratch<short> _coefficients = new();
    private readonly Scratch<byte> _samples = new();

    private JpegDecoder() => _scan = new ScanDecoder(_reader);

    /// <summary>Decodes a file.</summary>
    /// <param name="data">The whole file.</param>
    /// <param name="options">How to decode.</param>
    /// <param name="color">How the channels stand for colors where that is known from elsewhere; null leaves it to the file.</param>
    /// <returns>The picture; the caller owns it.</returns>
    /// <exception cref="ImageFormatException">The file is damaged, cut short, too large or of a kind that Pillow does not read either.</exception>
    public static Image Decode(ReadOnlySpan<byte> data, DecodeOptions options, JpegColor? color = null)
    {
        if (!Idle.TryTake(out var decoder))
        {
            decoder = new JpegDecoder();
        }

        try
        {
            return decoder.DecodeFile(data, options, color);
        }
        finally
        {
            if (decoder._coefficients.Size + decoder._samples.Size + decoder._scan.Size <= LargestKept)
            {
                Idle.Add(decoder);
            }
        }
    }

    /// <summary>Reads the headers of a file.</summary>
    /// <param name="data">The whole file.</param>
    /// <exception cref="ImageFormatException">The headers are damaged or cut short.</exception>
    public static ImageInfo Identify(ReadOnlySpan<byte> data)
    {
        var reader = new JpegReader();
        ReadHeaders(reader, data);
        var mode = reader.Frame.Count switch { 1 => "L", 3 => "RGB", _ => "CMYK" };
        return new ImageInfo(reader.PictureCount > 1 ? "MPO" : "JPEG", mode, reader.Frame.Width, reader.Frame.Height, Orientation.Valid(reader.Orientation));
    }

    private static void ReadHeaders(JpegReader reader, ReadOnlySpan<byte> data)
    {
        reader.Reset();
        if (!reader.ReadToScan(data))
        {
            throw new ImageFormatException("it is damaged: a JPEG without a picture");
        }
    }

    private Image DecodeFile(ReadOnlySpan<byte> data, DecodeOptions options, JpegColor? color)
    {
        ReadHeaders(_reader, data);
        var frame = _reader.Frame;
        options.CheckSize(frame.Width, frame.Height);
        frame.ScaleTo(options.Eighths(frame.Width, frame.Height, _reader.Orientation));
        if (frame.IsArithmetic)
        {
            return Orientation.Turn(SkiaDecoder.Decode(data, frame.Eighths), options.ExifTranspose ? _reader.Orientation : 1);
        }

        LayOutPlanes();
        fixed (byte* bytes = data)
        {
            if (frame.IsProgressive || _reader.Scanned.Length < frame.Count)
            {
                DecodeScans(bytes, data);
            }
            else
            {
                DecodeOnlyScan(bytes, data.Length);
                _reader.ReadToEnd(data);
            }
        }

        if (frame.IsProgressive && IsUnfinished(frame))
        {
            // libjpeg smooths blocks whose coefficients have not all arrived; so does Skia's copy of it.
            return Orientation.Turn(SkiaDecoder.Decode(data, frame.Eighths), options.ExifTranspose ? _reader.Orientation : 1);
        }

        var known = color is { } given && given == JpegColor.Gray == (frame.Count == 1) ? given : frame.Color;
        return Orientation.Turn(_rows.Assemble(frame, known), options.ExifTranspose ? _reader.Orientation : 1);
    }

    private static bool IsUnfinished(JpegFrame frame)
    {
        foreach (var component in frame.Components)
        {
            if (component.LowestBit.AsSpan(1, 9).ContainsAnyExcept((sbyte)0))
            {
                return true;
            }
        }

        return false;
    }

    private void LayOutPlanes()
    {
        var components = _reader.Frame.Components;
        var total = (long)Upsampling.Slack;
        foreach (var component in components)
        {
            // An even number of blocks for the transform, and slack for the reads of the upsampling.
            component.Stride = (nint)((long)component.BlockSize * ((component.PaddedAcross + 1) & ~1) + 2 * Upsampling.Slack);
            total += component.Stride * component.BlockSize * component.PaddedDown;
        }

        var samples = _samples.Take(total);
        foreach (var component in components)
        {
            component.Samples = samples;
            samples += component.Stride * component.BlockSize * component.PaddedDown;
        }
    }

    // The coefficients of one row of units at a time, which stay in the cache.
    private void DecodeOnlyScan(byte* data, int length)
    {
        _scan.Begin(data, length);
        var interleaved = _reader.Scanned.Length > 1;
        for (var row = 0; row < _scan.Rows; row++)
        {
            LayOutCoefficients(interleaved ? static component => component.Down : static _ => 1);
            _scan.DecodeRow(row, wholePicture: false);
            foreach (var component in _reader.Scanned)
            {
                var down = interleaved ? component.Down : 1;
                for (var y = 0; y < down; y++)
                {
                    Transform(component, y, row * down + y);
                }
            }
        }

        _scan.Finish();
    }

    private void DecodeScans(byte* data, ReadOnlySpan<byte> span)
    {
        LayOutCoefficients(static component => component.PaddedDown);
        do
        {
            _scan.Begin(data, span.Length);
            for (var row = 0; row < _scan.Rows; row++)
            {
                _scan.DecodeRow(row, wholePicture: true);
            }

            _scan.Finish();
        }
        while (_reader.ReadToScan(span));

        foreach (var component in _reader.Frame.Components)
        {
            _reader.Quantize(component);
            for (var y = 0; y < component.BlocksDown; y++)
            {
                Transform(component, y, y);
            }
        }
    }

    // Room for some rows of blocks of each component, all zero, and for the block beyond that the transform may read.
    private void LayOutCoefficients(Func<JpegComponent, int> rows)
    {
        var components = _reader.Frame.Components;
        var total = 64L;
        foreach (var component in components)
        {
            total += 64L * component.PaddedAcross * rows(component);
        }

        var coefficients = _coefficients.Take(total);
        new Span<short>(coefficients, checked((int)total)).Clear();
        foreach (var component in components)
        {
            component.Coefficients = coefficients;
            coefficients += 64L * component.PaddedAcross * rows(component);
        }
    }

    private static void Transform(JpegComponent component, int coefficientRow, int sampleRow)
    {
        var coefficients = component.Coefficients + 64L * coefficientRow * component.PaddedAcross;
        var quantization = (short*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(component.Quantization));
        var samples = component.Samples + (long)component.BlockSize * sampleRow * component.Stride;
        if (component.BlockSize == 8)
        {
            InverseDct.Transform(coefficients, component.BlocksAcross, quantization, samples, component.Stride);
        }
        else
        {
            ScaledDct.Transform(coefficients, component.BlocksAcross, quantization, samples, component.Stride, component.BlockSize);
        }
    }
}
