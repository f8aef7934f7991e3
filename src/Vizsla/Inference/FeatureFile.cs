using System.Globalization;
using System.Runtime.InteropServices;
using ParquetSharp;
using ParquetSharp.IO;
using Vizsla.Hub.Cache;

namespace Vizsla.Inference;

/// <summary>Writes features for other tools: a Parquet file of rows, or a NumPy array.</summary>
internal static class FeatureFile
{
    // Magic, version 1.0, two bytes of length; the whole header fills a multiple of 64 bytes.
    private static readonly byte[] s_magic = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0];

    /// <summary>Whether a path names a kind of file that is written.</summary>
    /// <param name="path">Path of a file.</param>
    public static bool IsKnown(string path) => Path.GetExtension(path) is ".parquet" or ".npy";

    /// <summary>Writes the file whole or not at all.</summary>
    /// <param name="path">
    /// A path that ends in <c>.parquet</c>: the columns <c>file</c> (string), <c>features</c> (list of float32) and <c>error</c> (string), the last two null where they are absent.
    /// Or one that ends in <c>.npy</c>: float32 [N, F] in the order of the pictures, NaN in the rows of those that cannot be read.
    /// </param>
    /// <param name="rows">The features, each of equal length.</param>
    /// <exception cref="ArgumentException">The path has another ending.</exception>
    /// <remarks>Source: Apache Parquet; NumPy's NEP 1. Both open in Python with <c>pandas.read_parquet</c> and <c>numpy.load</c>.</remarks>
    public static void Write(string path, IReadOnlyList<PictureFeatures> rows)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(rows);
        if (!IsKnown(path))
        {
            throw new ArgumentException($"Features are written to a file that ends in '.parquet' or '.npy', not to '{path}'.", nameof(path));
        }

        AtomicFile.Write(path, stream =>
        {
            if (Path.GetExtension(path) == ".npy")
            {
                WriteNumPy(stream, rows);
            }
            else
            {
                WriteParquet(stream, rows);
            }
        });
    }

    private static void WriteParquet(Stream stream, IReadOnlyList<PictureFeatures> rows)
    {
        using var output = new ManagedOutputStream(stream, leaveOpen: true);
        using var file = new ParquetFileWriter(output, [new Column<string>("file"), new Column<float[]?>("features"), new Column<string?>("error")]);
        using (var group = file.AppendRowGroup())
        {
            Write(group, rows, r => r.File);
            Write(group, rows, r => r.Error is null ? r.Values : null);
            Write(group, rows, r => r.Error);
        }

        file.Close();
    }

    private static void Write<T>(RowGroupWriter group, IReadOnlyList<PictureFeatures> rows, Func<PictureFeatures, T> value)
    {
        using var column = group.NextColumn().LogicalWriter<T>();
        column.WriteBatch([.. rows.Select(value)]);
    }

    private static void WriteNumPy(Stream file, IReadOnlyList<PictureFeatures> rows)
    {
        var width = rows.Where(r => r.Error is null).Select(r => r.Values.Length).FirstOrDefault();
        var missing = Enumerable.Repeat(float.NaN, width).ToArray();
        var header = string.Create(CultureInfo.InvariantCulture, $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows.Count}, {width}), }}");
        // Ten bytes stand before the text, and a line break ends it.
        var text = header.PadRight((header.Length + 11 + 63) / 64 * 64 - 11) + '\n';
        file.Write(s_magic);
        file.Write([(byte)text.Length, (byte)(text.Length >> 8)]);
        file.Write(System.Text.Encoding.ASCII.GetBytes(text));
        foreach (var row in rows)
        {
            file.Write(MemoryMarshal.AsBytes<float>(row.Error is null ? row.Values : missing));
        }
    }
}
