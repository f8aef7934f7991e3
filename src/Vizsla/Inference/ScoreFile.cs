using ParquetSharp;
using ParquetSharp.IO;
using Vizsla.Hub.Cache;

namespace Vizsla.Inference;

/// <summary>Writes the most likely classes of pictures as a Parquet file of rows.</summary>
internal static class ScoreFile
{
    /// <summary>Writes the file whole or not at all.</summary>
    /// <param name="path">
    /// The file. Columns: <c>row</c> (int64), <c>file</c> (string), <c>label</c> (string) and <c>score</c> (float32) of the most likely class, <c>labels</c> (list of string) and
    /// <c>scores</c> (list of float32) of those that were asked for, best first, <c>error</c> (string). Of a picture that cannot be read all but the first two and the last are null.
    /// </param>
    /// <param name="firstRow">Number of the first row among all pictures, from 0.</param>
    /// <param name="answers">What was predicted.</param>
    public static void Write(string path, long firstRow, IReadOnlyList<PicturePrediction> answers) => AtomicFile.Write(
        path,
        stream =>
        {
            using var output = new ManagedOutputStream(stream, leaveOpen: true);
            using var file = new ParquetFileWriter(output,
            [
                new Column<long>("row"), new Column<string>("file"), new Column<string?>("label"), new Column<float?>("score"), new Column<string[]?>("labels"), new Column<float[]?>("scores"),
                new Column<string?>("error"),
            ]);
            using (var group = file.AppendRowGroup())
            {
                Write(group, Enumerable.Range(0, answers.Count).Select(i => firstRow + i));
                Write(group, answers.Select(a => a.File));
                Write(group, answers.Select(a => Best(a)?.Label));
                Write(group, answers.Select(a => Best(a)?.Score));
                Write(group, answers.Select(a => a.Error is null ? a.Predictions.Select(p => p.Label).ToArray() : null));
                Write(group, answers.Select(a => a.Error is null ? a.Predictions.Select(p => p.Score).ToArray() : null));
                Write(group, answers.Select(a => a.Error));
            }

            file.Close();
        },
        flush: true);

    private static Prediction? Best(PicturePrediction answer) => answer.Predictions is [var best, ..] ? best : null;

    private static void Write<T>(RowGroupWriter group, IEnumerable<T> values)
    {
        using var column = group.NextColumn().LogicalWriter<T>();
        column.WriteBatch([.. values]);
    }
}
