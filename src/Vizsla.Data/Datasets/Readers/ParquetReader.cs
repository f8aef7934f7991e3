using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Vizsla.Datasets.Storage;

namespace Vizsla.Datasets.Readers;

/// <summary>Datasets from Parquet files.</summary>
/// <remarks>Small ones, which take 32 MB unpacked or less, are held in memory; rows of larger ones are unpacked once into the cache of datasets and read from there, as Python does with Arrow files.</remarks>
internal static class ParquetReader
{
    private const long LargestInMemory = 32_000_000;

    /// <summary>Reads the splits.</summary>
    /// <param name="files">Files of each split in order.</param>
    /// <param name="cacheFolder">Where large ones are unpacked; null takes the cache of datasets.</param>
    /// <exception cref="DatasetException">A file is no Parquet file, files have different columns, or a split has no file.</exception>
    public static DatasetDict Read(IReadOnlyList<DataFiles.SplitFiles> files, string? cacheFolder = null)
    {
        var isLarge = IsLarge(files.SelectMany(s => s.Files));
        return new(files.Select(split =>
        {
            if (split.Files.Count == 0)
            {
                throw new DatasetException($"Instruction \"{split.Name}\" corresponds to no data!");
            }

            var tables = split.Files.Select(f => (Table: Open(f, isLarge ? cacheFolder ?? DefaultCache : null), Rows: (int[]?)null)).ToList();
            var features = tables[0].Table.Features;
            var other = tables.FindIndex(t => !t.Table.Features.Equals(features));
            if (other > 0)
            {
                throw new DatasetException($"'{split.Files[other]}' has other columns than '{split.Files[0]}': {tables[other].Table.Features.ToJson().ToJsonString()}, expected {features.ToJson().ToJsonString()}.");
            }

            return KeyValuePair.Create(split.Name, new ImageDataset(tables.Count == 1 ? tables[0].Table : new JoinedTable(features, tables), split: split.Name));
        }));
    }

    /// <summary>Columns of a type that is not read, by file.</summary>
    public static IEnumerable<LeftOut> LeftOutColumns(IEnumerable<DataFiles.SplitFiles> files)
    {
        string[] columns = [.. files.SelectMany(s => s.Files).SelectMany(UnreadColumns).Distinct()];
        return columns.Length == 0 ? [] : [new LeftOut(LeftOutReason.Column, columns.Length, [.. columns.Take(3)])];
    }

    private static IReadOnlyList<string> UnreadColumns(string path)
    {
        using var source = new ParquetSource(path);
        return source.UnreadColumns;
    }

    // A small file may be large in memory: many rows, or values that are packed well. Files are opened until there is enough.
    private static bool IsLarge(IEnumerable<string> files)
    {
        var bytes = 0L;
        return files.Any(f => (bytes += MemoryBytes(f)) > LargestInMemory);
    }

    private static long MemoryBytes(string path)
    {
        using var source = new ParquetSource(path);
        return source.MemoryBytes;
    }

    private static string DefaultCache => Path.Combine(
        Set("HF_DATASETS_CACHE") ?? Path.Combine(
            Set("HF_HOME") ?? Path.Combine(Set("XDG_CACHE_HOME") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"), "huggingface"),
            "datasets"),
        "vizsla");

    private static Table Open(string path, string? cacheFolder)
    {
        using var source = new ParquetSource(path);
        if (cacheFolder is not null)
        {
            return DiskTable.OpenOrMake(Path.Combine(cacheFolder, Key(path)), source.Features, source.Rows());
        }

        var columns = source.Features.Select(_ => new List<object?>()).ToArray();
        foreach (var row in source.Rows())
        {
            for (var c = 0; c < columns.Length; c++)
            {
                columns[c].Add(row[c]);
            }
        }

        return new MemoryTable(source.Features, [.. columns.Select(c => c.ToArray())]);
    }

    private static string Key(string path)
    {
        var file = RealFile.Of(path);
        var told = string.Create(CultureInfo.InvariantCulture, $"2\n{file.FullName}\n{file.Length}\n{file.LastWriteTimeUtc.Ticks}");
        return "rows-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(told)).AsSpan(0, 16));
    }

    private static string? Set(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
}
