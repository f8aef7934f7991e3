using System.Globalization;
using System.Text;
using Sylvan.Data.Csv;

namespace Vizsla.Datasets.Readers;

/// <summary>A CSV file with the types that its values have.</summary>
/// <remarks>Source: <c>pandas.read_csv</c> and <c>pyarrow.Table.from_pandas</c> with their defaults: integers with gaps become float64, dates stay text, text is <c>large_string</c>.</remarks>
internal static class CsvTable
{
    private static readonly HashSet<string> s_missing =
        ["", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"];

    private static readonly HashSet<string> s_true = ["True", "TRUE", "true"];
    private static readonly HashSet<string> s_false = ["False", "FALSE", "false"];

    /// <exception cref="DatasetException">The file is not UTF-8 or not CSV.</exception>
    public static ColumnTable Read(string path)
    {
        try
        {
            using var text = new StreamReader(path, new UTF8Encoding(false, throwOnInvalidBytes: true));
            using var csv = CsvDataReader.Create(text, new CsvDataReaderOptions { HasHeaders = true, Delimiter = ',' });
            string[] names = [.. Enumerable.Range(0, csv.FieldCount).Select(csv.GetName)];
            var columns = names.Select(_ => new List<string?>()).ToArray();
            while (csv.Read())
            {
                for (var c = 0; c < columns.Length; c++)
                {
                    var value = c < csv.RowFieldCount ? csv.GetString(c) : "";
                    columns[c].Add(s_missing.Contains(value) ? null : value);
                }
            }

            var typed = columns.Select(Convert).ToArray();
            return new(path, new Features(names.Zip(typed, (name, column) => KeyValuePair.Create(name, (Feature)column.Type))), [.. typed.Select(t => t.Values)]);
        }
        catch (Exception e) when (e is DecoderFallbackException or CsvFormatException or CsvMissingHeadersException or ArgumentException)
        {
            throw new DatasetException($"The metadata file '{path}' is not readable as UTF-8 CSV: {e.Message}", e);
        }
    }

    private static (ValueFeature Type, object?[] Values) Convert(List<string?> texts)
    {
        var given = texts.OfType<string>().ToList();
        if (given.Count > 0 && given.All(t => s_true.Contains(t) || s_false.Contains(t)))
        {
            return (new("bool"), [.. texts.Select(t => t is null ? null : (object)s_true.Contains(t))]);
        }

        if (given.Count == texts.Count && given.All(t => long.TryParse(t, NumberStyles.Integer, CultureInfo.InvariantCulture, out _)))
        {
            return (new("int64"), [.. given.Select(t => (object)long.Parse(t, NumberStyles.Integer, CultureInfo.InvariantCulture))]);
        }

        return given.All(t => double.TryParse(t, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
            ? (new("float64"), [.. texts.Select(t => t is null ? null : (object)double.Parse(t, NumberStyles.Float, CultureInfo.InvariantCulture))])
            : (new("large_string"), [.. texts]);
    }
}

/// <summary>Rows of named, typed columns as they stand in a file.</summary>
/// <param name="File">Path of the file.</param>
/// <param name="Features">Columns and their types.</param>
/// <param name="Columns">Values by column, then by row.</param>
internal sealed record ColumnTable(string File, Features Features, object?[][] Columns)
{
    /// <summary>Number of rows.</summary>
    public int Count => Columns.Length == 0 ? 0 : Columns[0].Length;
}
