namespace Vizsla.Imaging.Png;

/// <summary>What the chunks of a PNG say about its picture.</summary>
internal sealed class PngHeader
{
    private static readonly Dictionary<(int Depth, int Color), string> Modes = new()
    {
        [(1, 0)] = "1", [(2, 0)] = "L", [(4, 0)] = "L", [(8, 0)] = "L", [(16, 0)] = "I;16",
        [(8, 2)] = "RGB", [(16, 2)] = "RGB",
        [(1, 3)] = "P", [(2, 3)] = "P", [(4, 3)] = "P", [(8, 3)] = "P",
        [(8, 4)] = "LA", [(16, 4)] = "RGBA",
        [(8, 6)] = "RGBA", [(16, 6)] = "RGBA",
    };

    /// <summary>Width in pixels.</summary>
    public uint Width { get; set; }

    /// <summary>Height in pixels.</summary>
    public uint Height { get; set; }

    /// <summary>Bits of a sample.</summary>
    public int Depth { get; set; }

    /// <summary>0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGB and alpha.</summary>
    public int Color { get; set; }

    /// <summary>Whether the rows come in seven passes.</summary>
    public bool IsInterlaced { get; set; }

    /// <summary>256 colors of three bytes; black where the file has none.</summary>
    public byte[] Palette { get; } = new byte[3 * 256];

    /// <summary>EXIF orientation as stored.</summary>
    public int? ExifOrientation { get; set; }

    /// <summary>Orientation of an XMP packet.</summary>
    public int? XmpOrientation { get; set; }

    /// <summary>Where the first image data chunk begins.</summary>
    public int FirstData { get; set; }

    /// <summary>Samples of a pixel.</summary>
    public int Channels => Color switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };

    /// <summary>Bits of a pixel.</summary>
    public int PixelBits => Channels * Depth;

    /// <summary>Pillow's name of the stored pixels, or null where it knows none.</summary>
    public string? Mode => Modes.GetValueOrDefault((Depth, Color));

    /// <summary>Orientation from 1 to 8.</summary>
    public int Orientation => Imaging.Orientation.Valid(ExifOrientation ?? XmpOrientation ?? 1);
}
