namespace Vizsla.Imaging;

/// <summary>What the header of a picture says.</summary>
/// <param name="Format">Pillow's name of the format: JPEG, PNG, GIF, BMP, WEBP or TIFF.</param>
/// <param name="Mode">Pillow's name of the stored pixels: 1, L, LA, P, RGB, RGBA, CMYK, I;16 ...</param>
/// <param name="Width">Stored width in pixels, before the EXIF orientation.</param>
/// <param name="Height">Stored height in pixels, before the EXIF orientation.</param>
/// <param name="Orientation">EXIF orientation, 1 (upright) to 8; 1 where the file says nothing.</param>
/// <remarks>Source: Pillow <c>Image.open(...).format</c>, <c>.mode</c>, <c>.size</c>.</remarks>
public sealed record ImageInfo(string Format, string Mode, int Width, int Height, int Orientation);
