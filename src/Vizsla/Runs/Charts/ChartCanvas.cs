using SkiaSharp;
using Vizsla.Imaging;

namespace Vizsla.Runs.Charts;

/// <summary>White paper to draw a chart on, in pixels from the top left.</summary>
internal sealed class ChartCanvas : IDisposable
{
    public static readonly SKColor Ink = new(40, 40, 40);
    public static readonly SKColor Faint = new(225, 225, 225);

    private readonly SKBitmap _bitmap;
    private readonly SKCanvas _canvas;

    public ChartCanvas(int width, int height)
    {
        _bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        _canvas = new SKCanvas(_bitmap);
        _canvas.Clear(SKColors.White);
    }

    public int Width => _bitmap.Width;

    public int Height => _bitmap.Height;

    public void Line(float x1, float y1, float x2, float y2, SKColor color, float width = 1, bool isDashed = false)
    {
        using var dashes = isDashed ? SKPathEffect.CreateDash([6, 5], 0) : null;
        using var paint = new SKPaint { Color = color, StrokeWidth = width, IsStroke = true, IsAntialias = true, PathEffect = dashes };
        _canvas.DrawLine(x1, y1, x2, y2, paint);
    }

    public void Curve(IReadOnlyList<SKPoint> points, SKColor color, float width)
    {
        using var builder = new SKPathBuilder();
        builder.AddPoly([.. points], close: false);
        using var path = builder.Detach();
        using var paint = new SKPaint { Color = color, StrokeWidth = width, IsStroke = true, IsAntialias = true, StrokeJoin = SKStrokeJoin.Round };
        _canvas.DrawPath(path, paint);
    }

    public void Dot(float x, float y, float radius, SKColor color)
    {
        using var paint = new SKPaint { Color = color, IsAntialias = true };
        _canvas.DrawCircle(x, y, radius, paint);
    }

    public void Box(float x, float y, float width, float height, SKColor color)
    {
        using var paint = new SKPaint { Color = color };
        _canvas.DrawRect(x, y, width, height, paint);
    }

    /// <summary>Writes a line of text around a point: centered on it vertically, and horizontally as asked.</summary>
    public void Text(string text, float x, float y, float size, SKTextAlign align, SKColor? color = null, bool isUpright = false)
    {
        _canvas.Save();
        _canvas.Translate(x, y);
        _canvas.RotateDegrees(isUpright ? -90 : 0);
        using var paint = new SKPaint { Color = color ?? Ink, IsAntialias = true };
        using var font = Font(size);
        if (LabelText.TryChoose(font, text))
        {
            _canvas.DrawText(text, 0, -(font.Metrics.Ascent + font.Metrics.Descent) / 2, align, font, paint);
        }
        else
        {
            DrawDots(text, size, align, paint);
        }

        _canvas.Restore();
    }

    /// <summary>Width of a text in pixels.</summary>
    public static float Measure(string text, float size)
    {
        using var font = Font(size);
        return LabelText.TryChoose(font, text) ? font.MeasureText(text) : text.Length * GlyphText.Advance * DotSize(size);
    }

    /// <summary>A text cut with dots so that it fits.</summary>
    public static string Fit(string text, float width, float size) => LabelText.Fit(text, (int)width, t => Measure(t, size));

    /// <summary>The drawing as a picture; the caller owns it.</summary>
    public Image ToImage()
    {
        _canvas.Flush();
        var image = new Image(Width, Height);
        var source = _bitmap.GetPixelSpan();
        var target = image.Pixels;
        for (var i = 0; i < Width * Height; i++)
        {
            source.Slice(4 * i, 3).CopyTo(target[(3 * i)..]);
        }

        return image;
    }

    public void Dispose()
    {
        _canvas.Dispose();
        _bitmap.Dispose();
    }

    private static SKFont Font(float size) => new() { Size = size, Edging = SKFontEdging.Antialias, Subpixel = true };

    // For machines without fonts.
    private void DrawDots(string text, float size, SKTextAlign align, SKPaint paint)
    {
        var dot = DotSize(size);
        var width = text.Length * GlyphText.Advance * dot;
        var left = align switch { SKTextAlign.Left => 0, SKTextAlign.Right => -width, _ => -width / 2 };
        foreach (var (x, y) in GlyphText.DotsOf(text))
        {
            _canvas.DrawRect(left + (x * dot), (y - (GlyphText.Height / 2f)) * dot, dot, dot, paint);
        }
    }

    private static float DotSize(float size) => Math.Max(1, MathF.Round(size / 10));
}
