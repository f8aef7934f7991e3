namespace Vizsla.Imaging.Jpeg;

/// <summary>What the headers of a JPEG say about its picture. Reused from picture to picture.</summary>
internal sealed class JpegFrame
{
    private const int Adobe = 0x100;

    private readonly JpegComponent[] _components = [new(), new(), new(), new()];
    private bool _hasJfif;
    private int _adobeTransform;

    /// <summary>Whether the frame header was met.</summary>
    public bool IsKnown => Marker != 0;

    /// <summary>The frame header's marker, 0xC0 to 0xCF; 0 before it was met.</summary>
    public int Marker { get; private set; }

    /// <summary>Width in pixels.</summary>
    public int Width { get; private set; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; private set; }

    /// <summary>Eighths of the size that the picture is decoded at, 1 to 8.</summary>
    public int Eighths { get; private set; }

    /// <summary>Largest sampling across of all channels.</summary>
    public int Across { get; private set; }

    /// <summary>Largest sampling down of all channels.</summary>
    public int Down { get; private set; }

    /// <summary>Whether the coefficients come bit by bit in many scans.</summary>
    public bool IsProgressive => Marker == 0xC2;

    /// <summary>Whether the coefficients are coded arithmetically.</summary>
    public bool IsArithmetic => Marker is 0xC9 or 0xCA;

    /// <summary>The channels: 1, 3 or 4.</summary>
    public ReadOnlySpan<JpegComponent> Components => _components.AsSpan(0, Count);

    /// <summary>Number of channels.</summary>
    public int Count { get; private set; }

    /// <summary>Units of an interleaved scan across.</summary>
    public int UnitsAcross => (Width + 8 * Across - 1) / (8 * Across);

    /// <summary>Units of an interleaved scan down.</summary>
    public int UnitsDown => (Height + 8 * Down - 1) / (8 * Down);

    /// <summary>Forgets the last picture.</summary>
    public void Reset() => (Marker, Count, _hasJfif, _adobeTransform) = (0, 0, false, 0);

    /// <summary>Notes a JFIF segment, which means YCbCr.</summary>
    public void SawJfif() => _hasJfif = true;

    /// <summary>Notes an Adobe segment.</summary>
    /// <param name="transform">0 for RGB or CMYK, 1 for YCbCr, 2 for YCCK.</param>
    public void SawAdobe(int transform) => _adobeTransform = Adobe | transform;

    /// <summary>Takes a frame header.</summary>
    /// <param name="marker">Its marker.</param>
    /// <param name="body">Its bytes behind the length.</param>
    /// <exception cref="ImageFormatException">The header is damaged or of a kind that neither libjpeg nor Pillow reads.</exception>
    public void Define(int marker, ReadOnlySpan<byte> body)
    {
        if (IsKnown)
        {
            throw new ImageFormatException("it is damaged: a JPEG with two frame headers");
        }

        if (body.Length < 6 || body.Length != 6 + 3 * body[5])
        {
            throw new ImageFormatException("it is damaged: the JPEG frame header has a wrong length");
        }

        if (body[0] != 8)
        {
            throw new ImageFormatException($"it is a JPEG of {body[0]} bits a sample, and only 8 are read");
        }

        if (body[5] is not (1 or 3 or 4))
        {
            throw new ImageFormatException($"it is a JPEG of {body[5]} channels, and only 1, 3 and 4 are read");
        }

        if (marker is not (0xC0 or 0xC1 or 0xC2 or 0xC9 or 0xCA))
        {
            throw new ImageFormatException($"it is a JPEG of a kind (SOF{marker & 15}) that is not read");
        }

        (Width, Height, Count) = (body[3] << 8 | body[4], body[1] << 8 | body[2], body[5]);
        if (Width == 0 || Height == 0)
        {
            throw new ImageFormatException("it is damaged: a JPEG without pixels");
        }

        Marker = marker;
        (Across, Down) = (1, 1);
        for (var i = 0; i < Count; i++)
        {
            var component = _components[i];
            var (id, sampling, table) = (body[6 + 3 * i], body[7 + 3 * i], body[8 + 3 * i]);
            (component.Id, component.Across, component.Down, component.QuantizationTable) = (id, sampling >> 4, sampling & 15, table);
            if (component.Across is < 1 or > 4 || component.Down is < 1 or > 4)
            {
                throw new ImageFormatException("it is damaged: a JPEG with invalid sampling factors");
            }

            (Across, Down) = (Math.Max(Across, component.Across), Math.Max(Down, component.Down));
        }

        foreach (var component in Components)
        {
            component.Width = (Width * component.Across + Across - 1) / Across;
            component.Height = (Height * component.Down + Down - 1) / Down;
            component.PaddedAcross = UnitsAcross * component.Across;
            component.PaddedDown = UnitsDown * component.Down;
            component.IsQuantized = false;
            component.LowestBit.AsSpan().Fill(-1);
        }
    }

    /// <summary>Chooses the scale of the decoding. A channel of coarser sampling takes larger blocks as far as they go, so that less is left to the upsampling.</summary>
    /// <param name="eighths">1 to 8.</param>
    /// <remarks>Source: libjpeg-turbo <c>jdmaster.c</c> (<c>jpeg_calc_output_dimensions</c>). Parity: exact.</remarks>
    public void ScaleTo(int eighths)
    {
        Eighths = eighths;
        foreach (var component in Components)
        {
            var size = eighths;
            while (size < 8 && Across * eighths % (component.Across * size * 2) == 0 && Down * eighths % (component.Down * size * 2) == 0)
            {
                size *= 2;
            }

            component.BlockSize = size;
            component.SampleWidth = Scaled(Width, component.Across * size, Across);
            component.SampleHeight = Scaled(Height, component.Down * size, Down);
        }
    }

    private static int Scaled(int length, int share, int largest) => (length * share + 8 * largest - 1) / (8 * largest);

    /// <summary>How the channels stand for colors.</summary>
    /// <remarks>Source: libjpeg <c>jdapimin.c</c> (<c>default_decompress_parms</c>). Parity: exact.</remarks>
    public JpegColor Color => (Count, _adobeTransform) switch
    {
        (1, _) => JpegColor.Gray,
        (4, 0 or Adobe) => JpegColor.Cmyk,
        (4, _) => JpegColor.Ycck,
        _ when _hasJfif => JpegColor.YCbCr,
        (_, Adobe) => JpegColor.Rgb,
        (_, not 0) => JpegColor.YCbCr,
        _ => (_components[0].Id, _components[1].Id, _components[2].Id) is ('R', 'G', 'B') ? JpegColor.Rgb : JpegColor.YCbCr,
    };
}

/// <summary>One color channel of a JPEG: its sampling, its tables and the size of its plane. Reused from picture to picture.</summary>
internal sealed unsafe class JpegComponent
{
    /// <summary>Identifier that the scans name.</summary>
    public int Id { get; set; }

    /// <summary>Samples across for every <see cref="JpegFrame.Across"/> of the finest channel.</summary>
    public int Across { get; set; }

    /// <summary>Samples down for every <see cref="JpegFrame.Down"/> of the finest channel.</summary>
    public int Down { get; set; }

    /// <summary>Number of the quantization table.</summary>
    public int QuantizationTable { get; set; }

    /// <summary>Width in samples at full scale.</summary>
    public int Width { get; set; }

    /// <summary>Height in samples at full scale.</summary>
    public int Height { get; set; }

    /// <summary>Samples along a side of a decoded block: 8, or other where the picture is decoded at another scale.</summary>
    public int BlockSize { get; set; }

    /// <summary>Width in samples at the scale that is decoded.</summary>
    public int SampleWidth { get; set; }

    /// <summary>Height in samples at the scale that is decoded.</summary>
    public int SampleHeight { get; set; }

    /// <summary>Blocks across that hold samples.</summary>
    public int BlocksAcross => (Width + 7) / 8;

    /// <summary>Blocks down that hold samples.</summary>
    public int BlocksDown => (Height + 7) / 8;

    /// <summary>Blocks across, filled up to whole units of an interleaved scan.</summary>
    public int PaddedAcross { get; set; }

    /// <summary>Blocks down, filled up to whole units of an interleaved scan.</summary>
    public int PaddedDown { get; set; }

    /// <summary>Number of the DC table in the current scan.</summary>
    public int DcTable { get; set; }

    /// <summary>Number of the AC table in the current scan.</summary>
    public int AcTable { get; set; }

    /// <summary>Whether a scan of this channel has begun, which fixes its quantization.</summary>
    public bool IsQuantized { get; set; }

    /// <summary>The quantization steps in natural order, as they were when its first scan began; pinned.</summary>
    public short[] Quantization { get; } = GC.AllocateArray<short>(64, pinned: true);

    /// <summary>For each coefficient of a progressive file, in zigzag order, the lowest bit decoded so far; -1 for none.</summary>
    public sbyte[] LowestBit { get; } = new sbyte[64];

    /// <summary>The coefficients, block by block in rows of <see cref="PaddedAcross"/>: of the whole picture, or of one row of units.</summary>
    public short* Coefficients { get; set; }

    /// <summary>The samples.</summary>
    public byte* Samples { get; set; }

    /// <summary>Distance between rows of samples.</summary>
    public nint Stride { get; set; }
}

/// <summary>How the channels of a JPEG stand for colors.</summary>
internal enum JpegColor
{
    Gray,
    YCbCr,
    Rgb,
    Cmyk,
    Ycck,
}
