namespace Vizsla.Imaging;

/// <summary>Draws many pictures on one, each with a line of text below it.</summary>
public static class ContactSheet
{
    private const byte Paper = 255;
    private const int Gap = 8;
    private const int LabelHeight = 22;

    /// <summary>Draws pictures in rows, from left to right and from the top, each fitted into a square cell above its label.</summary>
    /// <param name="pictures">The pictures, not disposed, with their labels; an empty label leaves its line blank, a long one is cut with dots.</param>
    /// <param name="columns">Pictures in a row, at least 1.</param>
    /// <param name="cell">Side of a cell in pixels, at least 16; a larger picture is reduced, a smaller one is not enlarged unless it is below half the cell.</param>
    /// <returns>The sheet on white; the caller owns it.</returns>
    /// <exception cref="ArgumentException">There is no picture.</exception>
    public static Image Draw(IEnumerable<(Image Image, string Label)> pictures, int columns = 4, int cell = 224)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(cell, 16);
        var all = pictures as IReadOnlyList<(Image Image, string Label)> ?? [.. pictures];
        if (all.Count == 0)
        {
            throw new ArgumentException("A contact sheet needs at least one picture.", nameof(pictures));
        }

        columns = Math.Min(columns, all.Count);
        var rows = (all.Count + columns - 1) / columns;
        var sheet = new Image(Gap + columns * (cell + Gap), Gap + rows * (cell + LabelHeight + Gap));
        sheet.Pixels.Fill(Paper);
        for (var i = 0; i < all.Count; i++)
        {
            var left = Gap + i % columns * (cell + Gap);
            var top = Gap + i / columns * (cell + LabelHeight + Gap);
            Place(sheet, all[i].Image, left, top, cell);
            LabelText.Draw(sheet, all[i].Label, left, top + cell, cell, LabelHeight);
        }

        return sheet;
    }

    private static void Place(Image sheet, Image picture, int left, int top, int cell)
    {
        var longest = Math.Max(picture.Width, picture.Height);
        var scale = longest > cell || 2 * longest < cell ? (double)cell / longest : 1.0;
        var width = Math.Clamp((int)Math.Round(picture.Width * scale), 1, cell);
        var height = Math.Clamp((int)Math.Round(picture.Height * scale), 1, cell);
        using var fitted = Resampler.Resize(picture, width, height, scale > 1 ? Interpolation.Nearest : Interpolation.Bicubic);
        left += (cell - width) / 2;
        top += (cell - height) / 2;
        for (var y = 0; y < height; y++)
        {
            fitted.Row(y).CopyTo(sheet.Row(top + y)[(3 * left)..]);
        }
    }
}
