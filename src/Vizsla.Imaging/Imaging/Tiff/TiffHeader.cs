namespace Vizsla.Imaging.Tiff;

/// <summary>What the directory of a TIFF says about its picture.</summary>
internal sealed class TiffHeader
{
    // Photometric interpretation, bits of a sample, samples beyond the color: the kinds that are read, by Pillow's names.
    private static readonly Dictionary<(long Photometric, int Bits, int Extra), string> Modes = new()
    {
        [(0, 1, 0)] = "1", [(0, 2, 0)] = "L", [(0, 4, 0)] = "L", [(0, 8, 0)] = "L", [(0, 16, 0)] = "I;16",
        [(1, 1, 0)] = "1", [(1, 2, 0)] = "L", [(1, 4, 0)] = "L", [(1, 8, 0)] = "L", [(1, 16, 0)] = "I;16", [(1, 8, 1)] = "LA",
        [(2, 8, 0)] = "RGB", [(2, 8, 1)] = "RGBA", [(2, 8, 2)] = "RGBA", [(2, 8, 3)] = "RGBA", [(2, 16, 0)] = "RGB", [(2, 16, 1)] = "RGBA",
        [(3, 1, 0)] = "P", [(3, 2, 0)] = "P", [(3, 4, 0)] = "P", [(3, 8, 0)] = "P", [(3, 8, 1)] = "PA",
        [(5, 8, 0)] = "CMYK", [(5, 8, 1)] = "CMYK", [(5, 8, 2)] = "CMYK", [(5, 16, 0)] = "CMYK",
        [(6, 8, 0)] = "RGB",
    };

    private readonly long[] _extra;

    /// <summary>Takes a directory.</summary>
    /// <param name="directory">The directory.</param>
    /// <exception cref="ImageFormatException">The picture is of a kind that is not read.</exception>
    public TiffHeader(TiffDirectory directory)
    {
        Directory = directory;
        (Width, Height) = (directory.Number(256, 0), directory.Number(257, 0));
        (Photometric, Compression) = (directory.Number(262, 0), directory.Number(259, 1));
        (Samples, IsPlanar) = ((int)Math.Min(directory.Number(277, 1), 64), directory.Number(284, 1) == 2);
        _extra = directory.Numbers(338);
        var bits = directory.Numbers(258);
        Bits = bits.Length == 0 ? 1 : (int)bits[0];
        Colors = Photometric switch { 2 or 6 => 3, 5 => 4, _ => 1 };
        Mode = Modes.GetValueOrDefault((Photometric, Bits, Samples - Colors))!;
        var even = bits.All(b => b == Bits) && directory.Numbers(339).All(format => format == 1);
        if (Mode is null || !even || Width is < 1 or > int.MaxValue || Height is < 1 or > int.MaxValue || (Photometric == 6 && Compression != 7))
        {
            throw new ImageFormatException(
                $"it is a TIFF of a kind that is not read (photometric interpretation {Photometric}, {Samples} samples of {Bits} bits, compression {Compression}); save it as PNG");
        }

        if (Mode == "RGBA" && _extra is [0, ..])
        {
            Mode = "RGB";
        }

        IsTiled = directory.Numbers(324).Length > 0;
        PieceWidth = IsTiled ? directory.Number(322, 0) : Width;
        PieceHeight = IsTiled ? directory.Number(323, 0) : Math.Min(directory.Number(278, Height), Height);
        if (PieceWidth < 1 || PieceHeight < 1 || PieceWidth * PieceHeight * Samples * 2 > Array.MaxLength)
        {
            throw new ImageFormatException("it is damaged: a TIFF with invalid strips");
        }
    }

    /// <summary>All tags.</summary>
    public TiffDirectory Directory { get; }

    /// <summary>Width in pixels as stored.</summary>
    public long Width { get; }

    /// <summary>Height in pixels as stored.</summary>
    public long Height { get; }

    /// <summary>0 white is zero, 1 black is zero, 2 RGB, 3 palette, 5 CMYK, 6 YCbCr.</summary>
    public long Photometric { get; }

    /// <summary>1 none, 5 LZW, 7 JPEG, 8 and 32946 deflate, 32773 PackBits, 34925 LZMA.</summary>
    public long Compression { get; }

    /// <summary>Samples of a pixel.</summary>
    public int Samples { get; }

    /// <summary>Samples of a pixel that are color.</summary>
    public int Colors { get; }

    /// <summary>Bits of a sample.</summary>
    public int Bits { get; }

    /// <summary>Pillow's name of the stored pixels.</summary>
    public string Mode { get; }

    /// <summary>Whether each sample lies in pieces of its own.</summary>
    public bool IsPlanar { get; }

    /// <summary>Whether the pieces are tiles rather than strips.</summary>
    public bool IsTiled { get; }

    /// <summary>Width of a piece.</summary>
    public long PieceWidth { get; }

    /// <summary>Height of a piece.</summary>
    public long PieceHeight { get; }

    /// <summary>Whether the colors are multiplied with the alpha behind them.</summary>
    public bool IsPremultiplied => Mode == "RGBA" && _extra is [1, ..];

    /// <summary>Orientation from 1 to 8.</summary>
    public int Orientation => Imaging.Orientation.Valid((int)Math.Min(Directory.Number(274, 1), int.MaxValue));
}
