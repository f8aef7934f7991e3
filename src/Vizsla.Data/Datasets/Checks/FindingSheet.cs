using Vizsla.Imaging;

namespace Vizsla.Datasets.Checks;

/// <summary>Draws what a check found: copies side by side, odd pictures together, broken ones as gray fields.</summary>
internal static class FindingSheet
{
    private const int Columns = 6;
    private const int Cell = 176;
    private const int Gap = 8;
    private const int TitleHeight = 24;
    private const int MostCopies = 12;
    private const int MostSingles = 24;
    private const byte Paper = 255;
    private const byte Frame = 205;

    /// <summary>Draws the findings that name pictures, errors first.</summary>
    /// <param name="dataset">The dataset that was checked.</param>
    /// <param name="report">What was found.</param>
    /// <param name="mostGroups">Groups of copies that are drawn, at least 1.</param>
    /// <returns>The sheet, which the caller owns, and the number of findings on it; null where no finding names a picture.</returns>
    public static (Image Sheet, int Count)? Draw(DatasetDict dataset, DatasetCheckReport report, int mostGroups = 60)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(report);
        ArgumentOutOfRangeException.ThrowIfLessThan(mostGroups, 1);
        var blocks = new List<Image>();
        try
        {
            var count = 0;
            foreach (var kind in report.Findings.Where(f => f.Pictures.Count == 1).GroupBy(f => f.Kind))
            {
                var shown = kind.Take(MostSingles).ToList();
                count += shown.Count;
                blocks.Add(Block($"{kind.Key}: {Shown(shown.Count, kind.Count())}", shown.Select(f => (f.Pictures[0], f.Message)), dataset, withLabels: false));
            }

            foreach (var finding in report.Findings.Where(f => f.Pictures.Count > 1).OrderByDescending(f => f.IsError).Take(mostGroups))
            {
                count++;
                var shown = finding.Pictures.Take(MostCopies).ToList();
                var title = shown.Count == finding.Pictures.Count ? finding.Message : $"{shown.Count} of {finding.Message}";
                blocks.Add(Block(title, shown.Select(p => (p, "")), dataset, finding.HasDifferentLabels));
            }

            return blocks.Count == 0 ? null : (Flow(blocks), count);
        }
        finally
        {
            blocks.ForEach(b => b.Dispose());
        }
    }

    private static string Shown(int shown, int all) => shown == all ? $"{all}" : $"{shown} of {all}";

    private static Image Block(string title, IEnumerable<(FoundPicture Picture, string Reason)> pictures, DatasetDict dataset, bool withLabels)
    {
        var drawn = pictures.Select(p => (Image: Load(dataset, p.Picture, p.Reason), Label: Label(p.Picture, withLabels))).ToList();
        try
        {
            using var grid = ContactSheet.Draw(drawn, Columns, Cell);
            var block = new Image(grid.Width, grid.Height + TitleHeight);
            block.Pixels.Fill(Paper);
            grid.Pixels.CopyTo(block.Pixels[(3 * grid.Width * TitleHeight)..]);
            LabelText.Draw(block, title, Gap, 2, block.Width - (2 * Gap), TitleHeight - 2);
            Outline(block);
            return block;
        }
        finally
        {
            drawn.ForEach(d => d.Image.Dispose());
        }
    }

    // There is room for two names.
    private static string Label(FoundPicture picture, bool withLabel) => $"{picture.Split} · {(withLabel ? picture.Label : Path.GetFileName(picture.Name))}";

    private static Image Load(DatasetDict dataset, FoundPicture picture, string reason)
    {
        try
        {
            return dataset[picture.Split].LoadImage(picture.Row);
        }
        catch (Exception e) when (e is ImageFormatException or IOException or UnauthorizedAccessException or DatasetException)
        {
            var field = new Image(Cell, Cell);
            field.Pixels.Fill(Frame);
            LabelText.Draw(field, reason, Gap, (Cell - TitleHeight) / 2, Cell - (2 * Gap), TitleHeight);
            return field;
        }
    }

    private static void Outline(Image block)
    {
        block.Row(0).Fill(Frame);
        block.Row(block.Height - 1).Fill(Frame);
        for (var y = 0; y < block.Height; y++)
        {
            block.Row(y)[..3].Fill(Frame);
            block.Row(y)[^3..].Fill(Frame);
        }
    }

    // Left to right, a new row where a block no longer fits.
    private static Image Flow(List<Image> blocks)
    {
        const int Width = Gap + (Columns * (Cell + Gap)) + (Columns * Gap);
        var places = new (int Left, int Top)[blocks.Count];
        var (left, top, rowHeight) = (Gap, Gap, 0);
        for (var i = 0; i < blocks.Count; i++)
        {
            if (left > Gap && left + blocks[i].Width + Gap > Width)
            {
                (left, top, rowHeight) = (Gap, top + rowHeight + Gap, 0);
            }

            places[i] = (left, top);
            left += blocks[i].Width + Gap;
            rowHeight = Math.Max(rowHeight, blocks[i].Height);
        }

        var sheet = new Image(Width, top + rowHeight + Gap);
        sheet.Pixels.Fill(Paper);
        for (var i = 0; i < blocks.Count; i++)
        {
            for (var y = 0; y < blocks[i].Height; y++)
            {
                blocks[i].Row(y).CopyTo(sheet.Row(places[i].Top + y)[(3 * places[i].Left)..]);
            }
        }

        return sheet;
    }
}
