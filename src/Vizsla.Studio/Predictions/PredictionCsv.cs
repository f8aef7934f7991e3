using System.Globalization;
using System.Text;

namespace Vizsla.Studio.Predictions;

/// <summary>The table of many pictures as a file for a spreadsheet.</summary>
internal static class PredictionCsv
{
    /// <summary>One line per picture: file, class, score, error.</summary>
    public static string Write(IEnumerable<PredictionItem> items)
    {
        var text = new StringBuilder("file,label,score,error\n");
        foreach (var item in items)
        {
            var best = item.Answer?.Classes[0];
            text.Append(Quote(item.Name)).Append(',')
                .Append(Quote(best?.Label ?? "")).Append(',')
                .Append(best?.Score.ToString("R", CultureInfo.InvariantCulture)).Append(',')
                .Append(Quote(item.Problem ?? "")).Append('\n');
        }

        return text.ToString();
    }

    // A cell that begins like a formula would be one in a spreadsheet.
    private static string Quote(string cell)
    {
        var safe = cell.Length > 0 && "=+-@\t\r".Contains(cell[0], StringComparison.Ordinal) ? "'" + cell : cell;
        return safe.AsSpan().ContainsAny(",\"\n\r") ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : safe;
    }
}
