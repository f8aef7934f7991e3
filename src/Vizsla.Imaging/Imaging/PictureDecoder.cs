namespace Vizsla.Imaging;

/// <summary>A reader of one more kind of picture; the extension point for a format that <see cref="ImageCodec"/> does not read by itself.</summary>
/// <remarks><see cref="ImageCodec.Register"/> makes it known to everything that reads pictures; called from several threads at once.</remarks>
public abstract class PictureDecoder
{
    /// <summary>Names of files of this kind end so, in lower case with the dot, such as <c>.heic</c>: folders of pictures take them from then on.</summary>
    public abstract IReadOnlyList<string> Extensions { get; }

    /// <summary>Whether bytes begin as this kind does.</summary>
    /// <param name="data">The bytes of a file.</param>
    public abstract bool Accepts(ReadOnlySpan<byte> data);

    /// <summary>Reads the headers.</summary>
    /// <param name="data">The bytes of a file that <see cref="Accepts"/> takes.</param>
    /// <exception cref="ImageFormatException">The headers are damaged.</exception>
    public abstract ImageInfo Identify(ReadOnlySpan<byte> data);

    /// <summary>Decodes the first picture to RGB.</summary>
    /// <param name="data">The bytes of a file that <see cref="Accepts"/> takes.</param>
    /// <param name="options">How; the number of pixels is to be looked at before memory is taken.</param>
    /// <returns>The picture; the caller owns it.</returns>
    /// <exception cref="ImageFormatException">The picture is cut, damaged or too large.</exception>
    public abstract Image Decode(ReadOnlySpan<byte> data, DecodeOptions options);
}
