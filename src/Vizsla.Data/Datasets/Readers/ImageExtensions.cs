using System.Collections.Frozen;
using Vizsla.Imaging;

namespace Vizsla.Datasets.Readers;

/// <summary>The file names that count as pictures in a folder.</summary>
/// <remarks>Source: <c>datasets</c> builder <c>imagefolder</c>. Parity: exact, and the extensions of registered decoders; what the names promise and the decoder cannot read is found when it is read.</remarks>
internal static class ImageExtensions
{
    private static readonly FrozenSet<string> s_all = FrozenSet.ToFrozenSet(
        (".blp .bmp .dib .bufr .cur .pcx .dcx .dds .ps .eps .fit .fits .fli .flc .ftc .ftu .gbr .gif .grib .png .apng .jp2 .j2k .jpc .jpf .jpx .j2c .icns .ico .im .iim .tif .tiff "
        + ".jfif .jpe .jpg .jpeg .mpg .mpeg .msp .pcd .pxr .pbm .pgm .ppm .pnm .psd .bw .rgb .rgba .sgi .ras .tga .icb .vda .vst .webp .wmf .emf .xbm .xpm").Split(' '),
        StringComparer.Ordinal);

    /// <summary>Whether the extension, in any case, is one of a picture.</summary>
    public static bool IsImage(string path) => Suffix(path).ToLowerInvariant() is var suffix && (s_all.Contains(suffix) || ImageFormats.RegisteredExtensions.Contains(suffix));

    /// <summary>Whether the extension, as it is spelled, is one of a picture.</summary>
    public static bool IsImageInLowerCase(string path) => s_all.Contains(Suffix(path));

    /// <summary>Whether the extension before the last one is one of a picture, as in <c>a.jpg.bak</c>.</summary>
    public static bool HasImageExtensionBeforeLast(string path)
    {
        var last = Suffix(path);
        return last.Length > 0 && IsImage(path[..^last.Length]);
    }

    /// <summary>The extension as Python's <c>os.path.splitext</c> sees it: leading dots of a name do not start one.</summary>
    public static string Suffix(string path)
    {
        var name = path[(path.LastIndexOf('/') + 1)..];
        var dot = name.LastIndexOf('.');
        return dot > 0 && name.AsSpan(0, dot).ContainsAnyExcept('.') ? name[dot..] : "";
    }
}
