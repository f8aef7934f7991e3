namespace Vizsla.Imaging.Jpeg;

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
