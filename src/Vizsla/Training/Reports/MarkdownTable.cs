using System.Text;

namespace Vizsla.Training.Reports;

/// <summary>A table of a model card, its cells filled up to the width of their column.</summary>
/// <remarks>Source: <c>make_markdown_table</c> of transformers' <c>modelcard.py</c>. Parity: exact.</remarks>
internal static class MarkdownTable
{
    /// <summary>Writes a table.</summary>
    /// <param name="header">Names of the columns.</param>
    /// <param name="rows">Cells of each row; a vertical bar in one is escaped.</param>
    /// <returns>Lines, each ended by a line feed; empty without rows.</returns>
    public static string Write(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows)
    {
        var lines = rows.Select(row => row.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)).ToArray()).ToArray();
        if (lines.Length == 0)
        {
            return "";
        }

        var widths = header.Select((name, c) => lines.Max(row => Math.Max(name.Length, row[c].Length))).ToArray();
        var text = new StringBuilder();
        AddLine(header);
        text.Append(string.Concat(widths.Select(width => "|:" + new string('-', width) + ":"))).Append("|\n");
        foreach (var row in lines)
        {
            AddLine(row);
        }

        return text.ToString();

        void AddLine(IReadOnlyList<string> cells) =>
            text.Append(string.Concat(cells.Select((cell, c) => "| " + cell.PadRight(widths[c] + 1)))).Append("|\n");
    }
}
