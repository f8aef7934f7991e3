namespace Vizsla.Studio.Layout;

/// <summary>Cells of files for a spreadsheet.</summary>
internal static class CsvText
{
    /// <summary>A cell, quoted where needed; one that begins like a formula would be one in a spreadsheet, so it gets a quotation mark before it.</summary>
    public static string Cell(string cell)
    {
        var safe = cell.Length > 0 && "=+-@\t\r".Contains(cell[0], StringComparison.Ordinal) ? "'" + cell : cell;
        return safe.AsSpan().ContainsAny(",\"\n\r") ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : safe;
    }
}
