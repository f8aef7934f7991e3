using SkiaSharp;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Drawing;

/// <summary>The animals in unit coordinates: about -1 to 1 in both directions, y downwards, looking to the right where they look anywhere.</summary>
internal sealed class AnimalShapes(SKCanvas canvas, SKPaint body, SKPaint detail, Rng rng)
{
    private static readonly SKColor s_dark = new(24, 22, 20);

    public void Butterfly()
    {
        var spread = rng.Uniform(0.8, 1.1);
        foreach (var side in new[] { -1f, 1f })
        {
            Oval(side * 0.45f * spread, -0.35f, 0.45f * spread, 0.42f, side * -28, body);
            Oval(side * 0.38f * spread, 0.36f, 0.34f * spread, 0.34f, side * 30, body);
            Oval(side * 0.5f * spread, -0.38f, 0.2f * spread, 0.17f, side * -28, detail);
            Oval(side * 0.4f * spread, 0.38f, 0.13f, 0.12f, 0, detail);
            Line(s_dark, 0.05f, (0, -0.5f), (side * 0.22f, -0.95f));
        }

        using var trunk = Fill(s_dark);
        Oval(0, 0, 0.07f, 0.55f, 0, trunk);
    }

    public void Fish()
    {
        var length = rng.Uniform(0.55, 0.7);
        var height = rng.Uniform(0.3, 0.45);
        var fork = rng.Uniform(0.3, 0.5);
        Polygon(body, (-0.3f, 0), (-0.95f, -fork), (-0.8f, 0), (-0.95f, fork));
        Polygon(detail, (-0.25f, -height * 0.8f), (0.05f, -height - 0.3f), (0.3f, -height * 0.7f));
        Oval(0.15f, 0, length, height, 0, body);
        var stripes = (int)rng.Uniform(0, 4);
        for (var i = 0; i < stripes; i++)
        {
            Oval(-0.2f + (0.22f * i), 0, 0.045f, height * 0.75f, 0, detail);
        }

        Eye(0.15f + (length * 0.68f), -height * 0.25f, 0.09f);
    }

    public void Giraffe()
    {
        var lean = rng.Uniform(0.15, 0.5);
        var neck = rng.Uniform(0.75, 0.95);
        var width = rng.Uniform(0.13, 0.18);
        foreach (var x in new[] { -0.5f, -0.32f, 0.12f, 0.3f })
        {
            Line(body.Color, 0.11f, (x, 0.2f), (x + rng.Uniform(-0.1, 0.1), 0.95f));
        }

        Oval(-0.1f, 0.15f, 0.5f, 0.22f, rng.Uniform(-12, -2), body);
        var (headX, headY) = (0.3f + lean, 0.05f - neck);
        Line(body.Color, width, (0.27f, 0.12f), (headX, headY));
        Oval(headX + 0.12f, headY, 0.2f, 0.1f, 20, body);
        Line(body.Color, 0.05f, (headX - 0.02f, headY), (headX - 0.06f, headY - 0.2f));
        Line(body.Color, 0.05f, (-0.58f, 0.08f), (-0.78f, 0.4f));
        for (var i = 0; i < 9; i++)
        {
            Oval(rng.Uniform(-0.5, 0.3), rng.Uniform(0.02, 0.28), 0.06f, 0.05f, 0, detail);
        }

        Eye(headX + 0.1f, headY - 0.03f, 0.04f);
    }

    public void Rabbit()
    {
        foreach (var side in new[] { -1f, 1f })
        {
            var tilt = side * rng.Uniform(4, 28);
            var length = rng.Uniform(0.42, 0.52);
            canvas.Save();
            canvas.Translate(side * 0.2f, -0.1f);
            canvas.RotateDegrees(tilt);
            Oval(0, -length, 0.15f, length, 0, body);
            Oval(0, -length, 0.07f, length * 0.75f, 0, detail);
            canvas.Restore();
        }

        Oval(0, 0.35f, rng.Uniform(0.45, 0.55), rng.Uniform(0.4, 0.5), 0, body);
        Eye(-0.2f, 0.25f, 0.08f);
        Eye(0.2f, 0.25f, 0.08f);
        Polygon(detail, (-0.09f, 0.42f), (0.09f, 0.42f), (0, 0.54f));
        foreach (var side in new[] { -1f, 1f })
        {
            Line(s_dark, 0.025f, (side * 0.12f, 0.52f), (side * 0.5f, 0.46f));
            Line(s_dark, 0.025f, (side * 0.12f, 0.56f), (side * 0.5f, 0.6f));
        }
    }

    public void Snake()
    {
        var waves = rng.Uniform(1.3, 2.1);
        var swing = rng.Uniform(0.25, 0.4);
        var phase = rng.Uniform(0, 2 * Math.PI);
        var thick = rng.Uniform(0.11, 0.16);
        const int Beads = 90;
        for (var i = 0; i <= Beads; i++)
        {
            var along = i / (float)Beads;
            var y = swing * MathF.Sin((2 * MathF.PI * waves * along) + phase);
            var radius = thick * Math.Min(1, 0.25f + (along * 2.5f));
            Oval(-0.9f + (1.75f * along), y, radius, radius, 0, i / 6 % 2 == 0 ? body : detail);
        }

        var headY = swing * MathF.Sin((2 * MathF.PI * waves) + phase);
        Line(new SKColor(200, 30, 50), 0.04f, (0.9f, headY), (1.15f, headY - 0.04f));
        Oval(0.88f, headY, thick * 1.5f, thick * 1.15f, 0, body);
        Eye(0.92f, headY - (thick * 0.4f), 0.05f);
    }

    public void Spider()
    {
        for (var leg = 0; leg < 4; leg++)
        {
            foreach (var side in new[] { -1f, 1f })
            {
                var angle = (-0.75f + (0.5f * leg) + rng.Uniform(-0.1, 0.1)) * MathF.PI / 2.4f;
                var knee = rng.Uniform(0.5, 0.62);
                var (kneeX, kneeY) = (side * knee * MathF.Cos(angle), (knee * MathF.Sin(angle)) - 0.18f);
                var foot = rng.Uniform(0.9, 1.02);
                Line(body.Color, 0.07f, (0, 0), (kneeX, kneeY));
                Line(body.Color, 0.055f, (kneeX, kneeY), (side * foot * MathF.Cos(angle), (foot * MathF.Sin(angle)) + 0.15f));
            }
        }

        Oval(0, 0.28f, rng.Uniform(0.27, 0.36), rng.Uniform(0.3, 0.4), 0, body);
        Oval(0, 0.3f, 0.11f, 0.2f, 0, detail);
        Oval(0, -0.14f, 0.19f, 0.17f, 0, body);
        Eye(-0.07f, -0.2f, 0.05f);
        Eye(0.07f, -0.2f, 0.05f);
    }

    private void Oval(float x, float y, float radiusX, float radiusY, float degrees, SKPaint paint)
    {
        canvas.Save();
        canvas.Translate(x, y);
        canvas.RotateDegrees(degrees);
        canvas.DrawOval(0, 0, radiusX, radiusY, paint);
        canvas.Restore();
    }

    private void Polygon(SKPaint paint, params ReadOnlySpan<(float X, float Y)> corners)
    {
        using var builder = new SKPathBuilder();
        builder.MoveTo(corners[0].X, corners[0].Y);
        foreach (var (x, y) in corners[1..])
        {
            builder.LineTo(x, y);
        }

        builder.Close();
        using var path = builder.Detach();
        canvas.DrawPath(path, paint);
    }

    private void Line(SKColor color, float width, (float X, float Y) from, (float X, float Y) to)
    {
        using var paint = Fill(color);
        paint.Style = SKPaintStyle.Stroke;
        paint.StrokeWidth = width;
        paint.StrokeCap = SKStrokeCap.Round;
        canvas.DrawLine(from.X, from.Y, to.X, to.Y, paint);
    }

    private void Eye(float x, float y, float radius)
    {
        using var white = Fill(SKColors.White);
        using var pupil = Fill(s_dark);
        canvas.DrawCircle(x, y, radius, white);
        canvas.DrawCircle(x + (radius * 0.2f), y, radius * 0.6f, pupil);
    }

    private static SKPaint Fill(SKColor color) => new() { Color = color, IsAntialias = true };
}
