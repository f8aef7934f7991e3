using Vizsla.Datasets.Cards;

namespace Vizsla.Datasets.Readers;

/// <summary>From a folder and what was asked to the splits.</summary>
/// <remarks>Source: datasets <c>load.py</c>.</remarks>
internal static class DatasetFolder
{
    private const string DefaultConfiguration = "default";

    /// <summary>Pictures, whatever else lies there: <c>load_dataset("imagefolder", data_dir=folder)</c>.</summary>
    public static DatasetDict LoadImages(string folder, DatasetLoadOptions options)
    {
        var root = Root(folder, options.DataDir);
        var files = options.DataFiles is { } patterns ? DataFiles.Resolve(root, patterns) : DataFiles.Find(root);
        return WithLeftOut(ImageFolderReader.Read(root, files, options), root, options with { Rule = FolderRule.ImageFolder });
    }

    /// <summary>Whatever the folder holds, as its card or its files say: <c>load_dataset(folder)</c>.</summary>
    public static DatasetDict Load(string folder, DatasetLoadOptions options, string? name = null)
    {
        var root = Root(folder, options.DataDir);
        var card = DatasetCard.Read(Root(folder, null));
        if (card.Configurations.Count > 0 && options.DataFiles is null && options.DataDir is null)
        {
            var chosen = CardConfiguration.Choose(card.Configurations, options.Name, name ?? Path.GetFileName(root));
            root = Root(folder, chosen.DataDir);
            var told = options with { DropLabels = options.DropLabels ?? chosen.DropLabels, DropMetadata = options.DropMetadata ?? chosen.DropMetadata };
            var found = chosen.DataFiles is { } configured ? DataFiles.Resolve(root, configured) : DataFiles.Find(root);
            return Read(folder, root, found, told, card.Features(chosen.Name));
        }

        var files = options.DataFiles is { } patterns ? DataFiles.Resolve(root, patterns) : DataFiles.Find(root);
        return Read(folder, root, files, options, card.Features(options.Name ?? DefaultConfiguration));
    }

    private static DatasetDict Read(string folder, string root, IReadOnlyList<DataFiles.SplitFiles> found, DatasetLoadOptions options, Features? told)
    {
        var isImageFolder = options.Rule == FolderRule.ImageFolder;
        if (isImageFolder && !found.Any(s => s.Files.Any(f => DataFormat.IsParquetData(f) && !ImageFolderReader.IsMetadata(f))))
        {
            return WithLeftOut(ImageFolderReader.Read(root, found, options), root, options);
        }

        var files = found.Select(s => s with { Files = [.. s.Files.Where(isImageFolder ? DataFormat.IsParquetData : DataFormat.IsAllowed)] }).Where(s => s.Files.Count > 0).ToList();
        switch (DataFormat.Infer(files.SelectMany(s => s.Files)))
        {
            case DataFormat.Images:
                var pictures = ImageFolderReader.Read(root, [.. files.Select(s => s with { Files = [.. s.Files.Where(DataFormat.IsPictureData)] })], options);
                return WithLeftOut(pictures, root, options);
            case DataFormat.Parquet:
                files = [.. files.Select(s => s with { Files = [.. s.Files.Where(DataFormat.IsParquetData)] })];
                var rows = ChosenColumns.Apply(Cast(ParquetReader.Read(files), told), options);
                return new(rows, () => [.. LeftOutSearch.Run(root, new HashSet<string>(), LeftOutReason.NotListed), .. ParquetReader.LeftOutColumns(files)]);
            case null:
                throw new DatasetException($"No (supported) data files found in {folder}");
            case var format:
                throw new DatasetException($"'{folder}' holds mostly files of the format '{format}', which is not read. Supported: folders of pictures, Parquet.");
        }
    }

    // With metadata files their rows are the dataset's; else a photo is left out by its place, or by its extension where Python is strict.
    private static DatasetDict WithLeftOut(DatasetDict splits, string root, DatasetLoadOptions options) => new(ChosenColumns.Apply(splits, options), () =>
    {
        var used = splits.Values.SelectMany(PicturePaths).ToHashSet(StringComparer.Ordinal);
        var known = splits.Features.Any(f => f.Value is not (ImageFeature or ClassLabel)) ? LeftOutReason.NotListed
            : options.Rule == FolderRule.LoadDataset ? LeftOutReason.UnknownExtension
            : LeftOutReason.OutsideSplits;
        return LeftOutSearch.Run(root, used, known);
    });

    private static IEnumerable<string> PicturePaths(ImageDataset rows) => rows.Features
        .Where(f => f.Value is ImageFeature or ListFeature { Element: ImageFeature })
        .SelectMany(f => Enumerable.Range(0, rows.Count).SelectMany(row => rows.Value(row, f.Key) switch
        {
            ImageSource { Path: { } path } => [Path.GetFullPath(path)],
            IReadOnlyList<object?> items => items.OfType<ImageSource>().Select(s => Path.GetFullPath(s.Path ?? "")),
            _ => Enumerable.Empty<string>(),
        }));

    // A Parquet file without metadata of its own has the columns that the card gives it.
    private static DatasetDict Cast(DatasetDict splits, Features? told) => told is null || told.Equals(splits.Features) || !told.Names.Order(StringComparer.Ordinal).SequenceEqual(splits.Features.Names.Order(StringComparer.Ordinal))
        ? splits
        : new DatasetDict(splits.Select(s => KeyValuePair.Create(s.Key, told.Where(f => !f.Value.Equals(s.Value.Features[f.Key])).Aggregate(s.Value, (d, f) => d.CastColumn(f.Key, f.Value)))));

    private static string Root(string folder, string? dataDir)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return Path.TrimEndingDirectorySeparator(Path.GetFullPath(Path.Combine(folder, dataDir ?? "")));
    }
}
