using System.Text;
using Sylvan.Data.Csv;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Readers;

/// <summary>A CSV file of labels, read whole: chosen columns of each row with its line.</summary>
internal static class LabelFile
{
    /// <summary>One row.</summary>
    /// <param name="Line">Line of the file, 1 is the header.</param>
    /// <param name="Values">Values of the asked columns, in the order asked, without blanks around them.</param>
    /// <param name="HadBlanks">Whether a value had blanks around it.</param>
    public sealed record Row(int Line, string[] Values, bool HadBlanks);

    /// <summary>Reads the asked columns.</summary>
    /// <param name="path">Path of the file: UTF-8, a header, separated by comma, semicolon, tab or bar.</param>
    /// <param name="columns">Each column's name and the option that sets it, for the message when it is missing.</param>
    /// <exception cref="DatasetException">The file is missing, empty, not UTF-8, malformed, or lacks a column.</exception>
    public static IReadOnlyList<Row> Read(string path, params (string Name, string? Option)[] columns)
    {
        if (!File.Exists(path))
        {
            throw new DatasetException($"The label file '{path}' does not exist.");
        }

        try
        {
            using var text = new StreamReader(path, new UTF8Encoding(false, throwOnInvalidBytes: true));
            using var csv = CsvDataReader.Create(text, new CsvDataReaderOptions { HasHeaders = true });
            var positions = columns.Select(c => Position(path, csv, c.Name, c.Option)).ToArray();
            var rows = new List<Row>();
            while (csv.Read())
            {
                var values = positions.Select(p => p < csv.RowFieldCount ? csv.GetString(p) : "").ToArray();
                if (csv.RowFieldCount > 1 || values.Any(v => v.Length > 0))
                {
                    rows.Add(new((int)csv.RowNumber + 1, [.. values.Select(v => v.Trim())], values.Any(v => v.Length != v.Trim().Length)));
                }
            }

            return rows.Count > 0 ? rows : throw new DatasetException($"The label file '{path}' has a header but no rows.");
        }
        catch (DecoderFallbackException e)
        {
            throw new DatasetException($"The label file '{path}' is not UTF-8 text. Save it as UTF-8.", e);
        }
        catch (CsvMissingHeadersException e)
        {
            throw new DatasetException($"The label file '{path}' is empty; expected the header '{string.Join(',', columns.Select(c => c.Name))}' and rows.", e);
        }
        catch (CsvFormatException e)
        {
            throw new DatasetException($"The label file '{path}' is not readable as CSV at line {e.RowNumber + 1}: {e.Message}", e);
        }
    }

    private static int Position(string path, CsvDataReader csv, string name, string? option)
    {
        string[] names = [.. Enumerable.Range(0, csv.FieldCount).Select(csv.GetName).Select(n => n.Trim())];
        var position = Array.IndexOf(names, name);
        return position >= 0
            ? position
            : throw new DatasetException($"The label file '{path}' has no column '{name}'. Columns: {string.Join(", ", names)}.{Suggestion.DidYouMean(name, names)}{(option is null ? "" : $" Name the column with {option}.")}");
    }
}
