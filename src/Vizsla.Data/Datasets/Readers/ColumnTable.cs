namespace Vizsla.Datasets.Readers;

/// <summary>Rows of named, typed columns as they stand in a file.</summary>
/// <param name="File">Path of the file.</param>
/// <param name="Features">Columns and their types.</param>
/// <param name="Columns">Values by column, then by row.</param>
internal sealed record ColumnTable(string File, Features Features, object?[][] Columns)
{
    /// <summary>Number of rows.</summary>
    public int Count => Columns.Length == 0 ? 0 : Columns[0].Length;
}
