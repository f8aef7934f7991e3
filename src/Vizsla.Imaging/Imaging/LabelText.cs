using SkiaSharp;

namespace Vizsla.Imaging;

/// <summary>A line of text on a picture: in a font of the system that has the letters, else in plain glyphs of its own, so that a machine without fonts draws labels too.</summary>
internal static class LabelText
{
    private const float Size = 14;

    // Skia is built without fontconfig here, so font files are looked for where systems keep them; the first of the usual sans-serif faces wins.
    private static readonly string[] Folders =
    [
        "/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts",
        Environment.GetFolderPath(Environment.SpecialFolder.Fonts),
    ];

    private static readonly string[] Faces =
        ["DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "segoeui.ttf", "arial.ttf", "Helvetica.ttc", "NotoSansCJK-Regular.ttc", "msyh.ttc", "PingFang.ttc"];

    private static readonly Lazy<IReadOnlyList<SKTypeface>> Typefaces = new(FindTypefaces);

    /// <summary>Writes dark text in a field, cut with dots where it is too long.</summary>
    /// <param name="sheet">Drawn on.</param>
    /// <param name="text">The text; line breaks become spaces.</param>
    /// <param name="left">Left edge of the field.</param>
    /// <param name="top">Top edge of the field.</param>
    /// <param name="width">Width of the field.</param>
    /// <param name="height">Height of the field.</param>
    /// <param name="side">Where in the field it stands.</param>
    public static void Draw(Image sheet, string text, int left, int top, int width, int height, TextSide side = TextSide.Center)
    {
        text = text.ReplaceLineEndings(" ").Trim();
        if (text.Length == 0)
        {
            return;
        }

        using var font = new SKFont { Size = Size, Edging = SKFontEdging.Antialias };
        if (!TryChoose(font, text))
        {
            GlyphText.Draw(sheet, text, left, top, width, height, side);
            return;
        }

        text = Fit(text, width, s => font.MeasureText(s));
        using var field = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using (var canvas = new SKCanvas(field))
        using (var paint = new SKPaint { Color = new SKColor(30, 30, 30), IsAntialias = true })
        {
            canvas.Clear(SKColors.White);
            var (x, align) = side switch
            {
                TextSide.Left => (0f, SKTextAlign.Left),
                TextSide.Right => (width, SKTextAlign.Right),
                _ => (width / 2f, SKTextAlign.Center),
            };
            canvas.DrawText(text, x, height - 6f, align, font, paint);
        }

        var pixels = field.GetPixelSpan();
        for (var y = 0; y < height; y++)
        {
            var row = sheet.Row(top + y)[(3 * left)..];
            for (var x = 0; x < width; x++)
            {
                pixels.Slice(4 * (y * width + x), 3).CopyTo(row[(3 * x)..]);
            }
        }
    }

    /// <summary>The longest beginning of a text that fits, with dots where it was cut.</summary>
    /// <param name="text">The text.</param>
    /// <param name="width">Room in pixels.</param>
    /// <param name="measure">Width of a text in pixels.</param>
    public static string Fit(string text, int width, Func<string, float> measure)
    {
        var fitted = text;
        for (var length = text.Length - 1; length > 0 && measure(fitted) > width; length--)
        {
            fitted = string.Concat(text.AsSpan(0, length), "...");
        }

        return fitted;
    }

    /// <summary>Gives a font the first of the system's faces that has all letters of a text.</summary>
    /// <returns>False where no face has them; <see cref="GlyphText"/> draws then.</returns>
    public static bool TryChoose(SKFont font, string text) => Typefaces.Value.Any(face => Has(font, face, text));

    private static bool Has(SKFont font, SKTypeface face, string text)
    {
        font.Typeface = face;
        return font.ContainsGlyphs(text);
    }

    private static List<SKTypeface> FindTypefaces()
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true };
        var files = Folders.Where(f => f.Length > 0 && Directory.Exists(f))
            .SelectMany(f => Directory.EnumerateFiles(f, "*.tt?", options))
            .ToLookup(f => Path.GetFileName(f), StringComparer.OrdinalIgnoreCase);
        return [.. Faces.SelectMany(face => files[face].Take(1)).Select(SKTypeface.FromFile).Where(t => t is not null)];
    }
}

/// <summary>Where in its field a text stands.</summary>
internal enum TextSide
{
    /// <summary>In the middle.</summary>
    Center,

    /// <summary>At the left edge.</summary>
    Left,

    /// <summary>At the right edge.</summary>
    Right,
}
