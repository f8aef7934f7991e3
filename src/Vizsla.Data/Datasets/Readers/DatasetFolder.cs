namespace Vizsla.Datasets.Readers;

/// <summary>From a folder and what was asked to the splits.</summary>
/// <remarks>Source: datasets <c>load.py</c>.</remarks>
internal static class DatasetFolder
{
    /// <summary>Pictures, whatever else lies there: <c>load_dataset("imagefolder", data_dir=folder)</c>.</summary>
    public static DatasetDict LoadImages(string folder, DatasetLoadOptions options)
    {
        var root = Root(folder, options);
        var files = options.DataFiles is { } patterns ? DataFiles.Resolve(root, patterns) : DataFiles.Find(root);
        return ImageFolderReader.Read(root, files, options);
    }

    /// <summary>Whatever the folder holds, as its card or its files say: <c>load_dataset(folder)</c>.</summary>
    public static DatasetDict Load(string folder, DatasetLoadOptions options)
    {
        var root = Root(folder, options);
        var found = options.DataFiles is { } patterns ? DataFiles.Resolve(root, patterns) : DataFiles.Find(root);
        var files = found.Select(s => s with { Files = [.. s.Files.Where(DataFormat.IsAllowed)] }).Where(s => s.Files.Count > 0).ToList();
        return DataFormat.Infer(files.SelectMany(s => s.Files)) switch
        {
            DataFormat.Images => ImageFolderReader.Read(root, [.. files.Select(s => s with { Files = [.. s.Files.Where(DataFormat.IsPictureData)] })], options),
            DataFormat.Parquet => ParquetReader.Read([.. files.Select(s => s with { Files = [.. s.Files.Where(DataFormat.IsParquetData)] })]),
            null => throw new DatasetException($"No (supported) data files found in {folder}"),
            var format => throw new DatasetException($"'{folder}' holds mostly files of the format '{format}', which is not read. Supported: folders of pictures, Parquet."),
        };
    }

    private static string Root(string folder, DatasetLoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return Path.TrimEndingDirectorySeparator(Path.GetFullPath(Path.Combine(folder, options.DataDir ?? "")));
    }
}
