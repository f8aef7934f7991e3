using System.Text;
using Vizsla.Datasets.Storage;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Readers;

/// <summary>Files that list pictures with more columns: <c>metadata.csv</c>, <c>metadata.jsonl</c>, <c>metadata.parquet</c>; their rows are the dataset's.</summary>
/// <remarks>Source: datasets 5.2 <c>folder_based_builder.py</c>. Parity: exact; several files of one split come in path order, where Python's order is that of a set.</remarks>
internal sealed class MetadataFiles
{
    private const string FileName = "file_name";
    private const string FileNames = "file_names";
    private readonly IReadOnlyList<IReadOnlyList<ColumnTable>> _files;
    private readonly Dictionary<string, ILookup<string, string>> _byForm = new(StringComparer.Ordinal);

    private MetadataFiles(Features features, IReadOnlyList<IReadOnlyList<ColumnTable>> files) => (Features, _files) = (features, files);

    /// <summary>Columns of the dataset: those of the files, with pictures in the place of their names.</summary>
    public Features Features { get; }

    /// <summary>Reads the files.</summary>
    /// <param name="splits">Paths of the files of each split; at least one in all.</param>
    /// <exception cref="DatasetException">The files are of several kinds, have different columns, or none that names pictures.</exception>
    public static MetadataFiles Read(IReadOnlyList<IReadOnlyList<string>> splits)
    {
        string[] extensions = [.. splits.SelectMany(s => s).Select(f => Path.GetExtension(f)).Distinct().Order(StringComparer.Ordinal)];
        if (extensions.Length > 1)
        {
            throw new DatasetException($"Found metadata files with different extensions: [{string.Join(", ", extensions.Select(e => $"'{e}'"))}]");
        }

        var files = splits.Select(s => (IReadOnlyList<ColumnTable>)[.. s.Select(ReadFile).Where(t => t.Count > 0)]).ToList();
        var first = files.SelectMany(f => f).FirstOrDefault() ?? throw new DatasetException($"The metadata files have no rows: {string.Join(", ", splits.SelectMany(s => s))}");
        foreach (var other in files.SelectMany(f => f).Where(t => !t.Features.Equals(first.Features)))
        {
            throw new DatasetException($"Metadata files {other.File} and {first.File} have different features: ('{first.File}', {Describe(first.Features)}) != {Describe(other.Features)}");
        }

        var features = new Features(first.Features.Select(f => Picture(f.Key, f.Value)));
        return features.Any(f => f.Value is ImageFeature or ListFeature { Element: ImageFeature })
            ? new(features, files)
            : throw new DatasetException("`file_name`, `*_file_name`, `file_names` or `*_file_names` must be present as dictionary key in metadata files");
    }

    /// <summary>Rows of one split.</summary>
    /// <param name="split">Position of the split.</param>
    /// <exception cref="DatasetException">A picture's name leaves the folder of its file.</exception>
    public Table Table(int split) => new MemoryTable(
        Features,
        [.. Enumerable.Range(0, Features.Count).Select(c => _files[split].SelectMany(file => file.Columns[c].Select((value, row) => Convert(file.File, row, Features[c], value))).ToArray())]);

    private static ColumnTable ReadFile(string path) => Path.GetExtension(path) switch
    {
        ".csv" => CsvTable.Read(path),
        ".jsonl" => JsonLinesTable.Read(path),
        _ => ReadParquet(path),
    };

    private static ColumnTable ReadParquet(string path)
    {
        using var source = new ParquetSource(path);
        var rows = source.Rows().ToList();
        return new(path, source.Features, [.. Enumerable.Range(0, source.Features.Count).Select(c => rows.Select(r => r[c]).ToArray())]);
    }

    private static KeyValuePair<string, Feature> Picture(string name, Feature type)
    {
        if (type is ValueFeature { DType: "string" or "large_string" } && (name == FileName || name.EndsWith("_" + FileName, StringComparison.Ordinal)))
        {
            return KeyValuePair.Create(Prefix(name, FileName, "image"), (Feature)new ImageFeature());
        }

        return type is ListFeature { Element: ValueFeature { DType: "string" or "large_string" } } && (name == FileNames || name.EndsWith("_" + FileNames, StringComparison.Ordinal))
            ? KeyValuePair.Create(Prefix(name, FileNames, "images"), (Feature)new ListFeature(new ImageFeature()))
            : KeyValuePair.Create(name, type);
    }

    private static string Prefix(string name, string suffix, string otherwise) => name == suffix ? otherwise : name[..^(suffix.Length + 1)];

    private object? Convert(string file, int row, KeyValuePair<string, Feature> column, object? value) => (column.Value, value) switch
    {
        (ImageFeature, string name) => name.Length == 0 ? null : Source(file, name),
        (ListFeature { Element: ImageFeature }, IReadOnlyList<object?> { Count: 0 }) =>
            throw new DatasetException(Invariant($"Row {row + 1} of the metadata file '{file}' has an empty list of pictures for '{column.Key}'. Name at least one, or leave the row out.")),
        (ListFeature { Element: ImageFeature }, IReadOnlyList<object?> names) => names.Select(n => n is string name ? Source(file, name) : null).ToList(),
        _ => value,
    };

    // A name comes from a file that may come from anywhere: it must stay below that file's folder.
    private ImageSource Source(string file, string name)
    {
        const string Expected = "`file_name` must be a relative path pointing inside the directory containing the metadata file.";
        if (name.Contains("://", StringComparison.Ordinal))
        {
            throw new DatasetException($"Invalid metadata file_name '{name}': {Expected} URL schemes (e.g. 'file://', 'local://') are not allowed.");
        }

        var parts = new List<string>();
        var isInside = !Path.IsPathRooted(name) && name[0] != '\\';
        foreach (var part in name.Replace('\\', '/').Split('/').Where(p => p.Length > 0 && p != "."))
        {
            isInside &= part != ".." || parts.Count > 0;
            if (part != "..")
            {
                parts.Add(part);
            }
            else if (parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
        }

        return isInside
            ? new(InAnyForm(Path.Combine([Path.GetDirectoryName(file) ?? "", .. parts])))
            : throw new DatasetException($"Invalid metadata file_name '{name}': {Expected} Absolute paths and parent-directory ('..') traversal that escape the dataset directory are not allowed.");
    }

    // A name may be written in another Unicode form than the file's: é as one character or as two.
    private string InAnyForm(string path)
    {
        var (folder, name) = (Path.GetDirectoryName(path) ?? "", Path.GetFileName(path));
        if (Ascii.IsValid(name) || File.Exists(path) || !Directory.Exists(folder))
        {
            return path;
        }

        if (!_byForm.TryGetValue(folder, out var files))
        {
            _byForm.Add(folder, files = Directory.EnumerateFiles(folder).ToLookup(f => CanonicalForm.Decompose(Path.GetFileName(f)), StringComparer.Ordinal));
        }

        return files[CanonicalForm.Decompose(name)].FirstOrDefault() ?? path;
    }

    // As Python prints a dictionary of features, which is how its message shows them.
    private static string Describe(Features features) => $"{{{string.Join(", ", features.Select(f => $"'{f.Key}': {Describe(f.Value)}"))}}}";

    private static string Describe(Feature feature) => feature switch
    {
        ValueFeature value => $"Value('{value.DType}')",
        ListFeature list => $"List({Describe(list.Element)})",
        StructFeature fields => Describe(fields.Fields),
        _ => feature.ToString(),
    };
}
