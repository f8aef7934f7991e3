namespace Vizsla.Cli;

/// <summary>One line of a CSV file as RFC 4180 has it.</summary>
internal static class CsvLine
{
    /// <summary>The cells, quoted where they must be.</summary>
    /// <param name="cells">The cells.</param>
    public static string Of(params IEnumerable<string> cells) =>
        string.Join(',', cells.Select(cell => cell.AsSpan().IndexOfAny(",\"\r\n") < 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\""));
}
