using Vizsla.Datasets.Storage;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Readers;

/// <summary>Folders of pictures: labels from the names of folders, or columns from metadata files.</summary>
/// <remarks>
/// Source: datasets 5.2 <c>folder_based_builder.py</c>. Parity: exact, its oddities included: whether a split has labels is decided with what was seen up to it,
/// the columns with what was seen in the end, so that loose pictures in <c>train</c> and <c>test</c> give the first split null labels.
/// </remarks>
internal sealed class ImageFolderReader
{
    private static readonly string[] s_metadataNames = ["metadata.csv", "metadata.jsonl", "metadata.parquet"];

    private readonly string _root;
    private readonly DatasetLoadOptions _options;
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _byForm = new(StringComparer.Ordinal);
    private readonly HashSet<int> _depths = [];
    private readonly List<Split> _splits = [];

    private ImageFolderReader(string root, DatasetLoadOptions options) => (_root, _options) = (root, options);

    /// <summary>Whether a file of this name describes pictures.</summary>
    public static bool IsMetadata(string path) => s_metadataNames.Contains(Path.GetFileName(path), StringComparer.Ordinal);

    /// <summary>Builds the splits.</summary>
    /// <param name="root">Folder of the dataset; only for fingerprints.</param>
    /// <param name="files">The files of each split.</param>
    /// <param name="options">How labels and metadata are taken.</param>
    /// <exception cref="DatasetException">A split has no rows, or metadata or labels do not fit.</exception>
    public static DatasetDict Read(string root, IReadOnlyList<DataFiles.SplitFiles> files, DatasetLoadOptions options)
    {
        var reader = new ImageFolderReader(root, options);
        foreach (var split in files)
        {
            reader.Add(split);
        }

        return reader.Build();
    }

    private void Add(DataFiles.SplitFiles files)
    {
        var split = new Split(files.Name);
        foreach (var file in files.Files)
        {
            if (ImageExtensions.IsImage(file) || ImageExtensions.HasImageExtensionBeforeLast(file))
            {
                split.Pictures.Add(file);
            }
            else if (IsMetadata(file))
            {
                split.Metadata.Add(file);
            }
            else if (ImageExtensions.Suffix(file).Equals(".zip", StringComparison.OrdinalIgnoreCase))
            {
                split.Archives.Add(Archive(file));
            }
        }

        if (_options.DropLabels != true)
        {
            foreach (var file in split.Pictures.Where(ImageExtensions.IsImage).Concat(split.Archives.SelectMany(a => a.Members).Where(ImageExtensions.IsImageInLowerCase)))
            {
                _names.Add(ClassOf(FolderName(file)));
                _depths.Add(file.Count(c => c == '/' || c == Path.DirectorySeparatorChar));
            }
        }

        var hasMetadata = split.Metadata.Count > 0 || _splits.Any(s => s.Metadata.Count > 0);
        var isAnalyzed = _options.DropLabels != true || _options.DropMetadata != true;
        split.AddsMetadata = isAnalyzed && hasMetadata && _options.DropMetadata != true;
        split.AddsLabels = isAnalyzed && !hasMetadata && (_options.DropLabels is { } drop ? !drop : _names.Count > 1 && _depths.Count == 1);
        if (_options.Rule == FolderRule.ImageFolder && split.AddsLabels && split.Archives.Find(a => a.Members.Any(ImageExtensions.IsImageInLowerCase)) is { } archive)
        {
            throw new DatasetException($"'{archive.Path}' holds class folders; the labels of pictures inside an archive cannot be read, in Python neither. Unpack it, and load the folder.");
        }

        _splits.Add(split);
    }

    private static PictureArchive Archive(string path)
    {
        var archive = new PictureArchive(path);
        return archive.Members.Any(IsMetadata)
            ? throw new DatasetException($"'{path}' holds a metadata file; metadata inside an archive is not read. Unpack the archive.")
            : archive;
    }

    private DatasetDict Build()
    {
        var last = _splits[^1];
        var metadata = last.AddsMetadata ? MetadataFiles.Read([.. _splits.Select(s => s.Metadata)]) : null;
        var label = last.AddsLabels ? new ClassLabel(LabelSet.Sorted(_names)) : null;
        return new(_splits.Select((split, i) =>
        {
            var table = split.AddsMetadata && metadata is not null ? metadata.Table(i) : Pictures(split, label, metadata?.Features);
            return table.Count > 0
                ? KeyValuePair.Create(split.Name, new ImageDataset(table, split: split.Name))
                : throw new DatasetException($"Instruction \"{split.Name}\" corresponds to no data!");
        }));
    }

    private Table Pictures(Split split, ClassLabel? label, Features? columns)
    {
        string[] paths = [.. split.Pictures, .. split.Archives.SelectMany(a => a.Members.Where(ImageExtensions.IsImage).Select(a.Address))];
        if (columns is not null)
        {
            var image = columns.IndexOf("image");
            return new MemoryTable(columns, [.. Enumerable.Range(0, columns.Count).Select(c => c == image ? [.. paths.Select(p => new ImageSource(p))] : new object?[paths.Length])]);
        }

        if (label is null)
        {
            return new ImageFileTable(_root, paths, null, null);
        }

        // A picture in an archive is labeled by the archive's folder, as in 5.2, which is why labeled archives fail.
        IEnumerable<string> names = [.. split.Pictures.Select(FolderName), .. split.Archives.SelectMany(a => a.Members.Where(ImageExtensions.IsImage).Select(_ => FolderName(a.Path)))];
        return new ImageFileTable(_root, paths, label, split.AddsLabels ? [.. names.Select(n => Number(label, ClassOf(n)))] : [.. Enumerable.Repeat(-1, paths.Length)]);
    }

    // Folders that differ only in Unicode form are one class under the name seen first; a name that meets no other stays as it is.
    private string ClassOf(string folder)
    {
        var form = CanonicalForm.Decompose(folder);
        if (!_byForm.TryGetValue(form, out var name))
        {
            _byForm.Add(form, name = folder);
        }

        return name;
    }

    private static int Number(ClassLabel label, string name)
    {
        var number = label.Names.IndexOf(name);
        return number >= 0 ? number : label.Str2Int(name);
    }

    private static string FolderName(string path) => Path.GetFileName(Path.GetDirectoryName(path)) ?? "";

    private sealed class Split(string name)
    {
        public string Name { get; } = name;

        public List<string> Pictures { get; } = [];

        public List<string> Metadata { get; } = [];

        public List<PictureArchive> Archives { get; } = [];

        public bool AddsLabels { get; set; }

        public bool AddsMetadata { get; set; }
    }
}
