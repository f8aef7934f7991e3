using Vizsla.Datasets.Checks;
using Vizsla.Datasets.Readers;
using Vizsla.Primitives;
using static Vizsla.Datasets.Splits.PreparationProblems;

namespace Vizsla.Datasets.Splits;

/// <summary>Finds the pictures and their labels, and everything wrong with them.</summary>
internal sealed class PreparationSource
{
    private const int MostListed = 20;
    private readonly PreparationOptions _options;
    private readonly List<PreparationRow> _rows = [];
    private readonly List<string> _missing = [];
    private readonly List<string> _missingAlone = [];
    private readonly Dictionary<string, (int Count, string Example)> _hints = new(StringComparer.Ordinal);
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly LabelNames _names = new();
    private readonly List<string> _duplicates = [];
    private readonly List<string> _badNames = [];
    private readonly List<string> _badSplits = [];
    private readonly List<string> _ambiguous = [];
    private IReadOnlyList<BadImage> _bad = [];
    private IReadOnlyList<IReadOnlyList<string>> _copies = [];

    private PreparationSource(PreparationOptions options) => _options = options;

    /// <summary>Usable rows in the order of the label file, or of the paths for class folders.</summary>
    public IReadOnlyList<PreparationRow> Rows => _rows;

    /// <summary>Ids without a picture.</summary>
    public IReadOnlyList<string> Missing => _missing;

    /// <summary>Pictures that cannot be read whole.</summary>
    public IReadOnlyList<BadImage> Bad => _bad;

    /// <summary>Groups of copies, each kept in one split; empty where copies are not asked for.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Copies => _copies;

    /// <summary>What was done to labels, and what looks wrong with them.</summary>
    public IReadOnlyList<string> Notes => _names.Notes();

    /// <summary>Photos in the folder that are in no row, whatever the label file says, by reason.</summary>
    public IReadOnlyList<LeftOut> LeftOut => FindLeftOut(_options.SplitFile is null ? LeftOutReason.Deeper : LeftOutReason.NotListed);

    /// <summary>Pictures beside the labeled ones.</summary>
    public int UnlabeledCount { get; private set; }

    /// <summary>Reads and checks; pictures are checked before any complaint about labels.</summary>
    /// <exception cref="DatasetException">Lists everything that is wrong.</exception>
    public static PreparationSource Read(PreparationOptions options, IProgress<PreparationProgress>? progress, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(options.Images))
        {
            throw new DatasetException($"The picture folder '{options.Images}' does not exist.");
        }

        var source = new PreparationSource(options);
        var beside = Path.Combine(options.Images, "labels.csv");
        if (options.SplitFile is not null)
        {
            source.ReadSplitFile(options.SplitFile);
        }
        else if (options.Labels is not null || File.Exists(beside))
        {
            source.ReadLabelFile(options.Labels ?? beside);
        }
        else
        {
            source.ReadClassFolders();
        }

        source.CheckPictures(progress, cancellationToken);
        source.ThrowIfWrong();
        return source;
    }

    private void ReadLabelFile(string path)
    {
        var pictures = new PictureIndex(_options.Images);
        var lineOf = new Dictionary<string, (string Id, int Line)>(StringComparer.Ordinal);
        foreach (var row in LabelFile.Read(path, (_options.IdColumn, "--id_column"), (_options.LabelColumn, "--label_column")))
        {
            var (id, label) = (row.Values[0], row.Values[1]);
            _names.BlankCount += row.HadBlanks ? 1 : 0;
            var below = pictures.Below(id);
            var problem = below is null ? "it does not lie below the picture folder" : ClassNameRules.FileProblem(Path.GetFileName(below));
            var isNamed = NoteName($"line {row.Line}: the id '{id}'", problem)
                & NoteName($"line {row.Line}: the label '{label}' of id '{id}'", ClassNameRules.ClassProblem(label));
            if (problem is not null || below is null)
            {
                continue;
            }

            var found = pictures.Find(below);
            var name = found.Length > 0 ? found[0] : below;
            if (!lineOf.TryAdd(name, (id, row.Line)))
            {
                _duplicates.Add($"line {row.Line}: '{id}' is also on line {lineOf[name].Line}");
            }
            else if (found.Length == 0)
            {
                _missing.Add(id);
                Hint(id, pictures.Hint(below));
            }
            else if (found.Length > 1)
            {
                _ambiguous.Add($"line {row.Line}: '{id}' may be {string.Join(" or ", found.Select(f => $"'{f}'"))}");
            }
            else if (isNamed)
            {
                Add(new(Path.Combine(_options.Images, name), _names.Of(label)));
            }
        }

        string[] unlabeled = [.. pictures.Direct.Where(f => !lineOf.ContainsKey(f))];
        UnlabeledCount = unlabeled.Length;
        _seen.UnionWith(unlabeled.Concat(lineOf.Keys).Select(f => Path.GetFullPath(f, Path.GetFullPath(_options.Images))));
    }

    private void Hint(string id, (string Kind, string File)? hint)
    {
        if (hint is not var (kind, file))
        {
            _missingAlone.Add(id);
            return;
        }

        var (count, example) = _hints.GetValueOrDefault(kind, (0, $"'{id}' may be '{file}'"));
        _hints[kind] = (count + 1, example);
    }

    private void Add(PreparationRow row)
    {
        _rows.Add(row);
        _seen.Add(Path.GetFullPath(row.Path));
    }

    private void ReadSplitFile(string path)
    {
        var lineOf = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var row in LabelFile.Read(path, ("file", null), ("split", null), ("label", null)))
        {
            var (file, split, label) = (row.Values[0].Replace('\\', '/'), row.Values[1], row.Values[2]);
            _names.BlankCount += row.HadBlanks ? 1 : 0;
            var isInside = file.Length > 0 && !Path.IsPathRooted(file) && !file.Split('/').Contains("..");
            var isUsable = NoteName($"line {row.Line}: the file '{file}'", isInside ? ClassNameRules.FileProblem(Path.GetFileName(file)) : "it does not lie below the picture folder")
                & NoteName($"line {row.Line}: the label '{label}' of '{file}'", ClassNameRules.ClassProblem(label));
            if (!SplitNames.All.Contains(split))
            {
                _badSplits.Add($"line {row.Line}: '{split}'{Suggestion.DidYouMean(split, SplitNames.All)}");
                isUsable = false;
            }

            if (!isInside)
            {
                continue;
            }

            var full = Path.Combine(_options.Images, file);
            if (!lineOf.TryAdd(Path.GetFullPath(full), row.Line))
            {
                _duplicates.Add($"line {row.Line}: '{file}' is also on line {lineOf[Path.GetFullPath(full)]}");
            }
            else if (!File.Exists(full))
            {
                _missing.Add(file);
                _missingAlone.Add(file);
            }
            else if (isUsable)
            {
                Add(new(full, _names.Of(label), split));
            }
        }
    }

    private void ReadClassFolders()
    {
        var all = Directory.EnumerateFiles(_options.Images, "*", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(_options.Images, f).Replace(Path.DirectorySeparatorChar, '/'))
            .Where(f => ImageExtensions.IsImage(f) && !f.Split('/').Any(part => part[0] == '.') && !f.Split('/').SkipLast(1).Any(part => part.StartsWith("__", StringComparison.Ordinal)))
            .Order(CodePointComparer.Instance)
            .ToList();
        if (all.Count == 0)
        {
            var left = string.Concat(FindLeftOut(LeftOutReason.Deeper).Select(l => $"\n  {l.Sentence}"));
            throw new DatasetException($"The picture folder '{_options.Images}' holds no picture and no 'labels.csv'. Expected '{_options.Images}/<class>/<picture>', or a flat folder with a file of labels.{left}");
        }

        var loose = all.Where(f => !f.Contains('/', StringComparison.Ordinal)).ToList();
        if (loose.Count > 0)
        {
            throw new DatasetException($"{Plural(loose.Count, "picture lies", "pictures lie")} directly in '{_options.Images}' (first '{loose[0]}') and no label file was given. Put each class into a folder of its own, or give a file of labels (labels).");
        }

        var deep = all.Where(f => f.Count(c => c == '/') > 1).ToList();
        if (deep.Count > 0)
        {
            var isSplit = deep.All(f => SplitNames.All.Contains(f.Split('/')[0]));
            throw new DatasetException(isSplit
                ? $"'{_options.Images}' is split already ({string.Join(", ", deep.Select(f => f.Split('/')[0]).Distinct())}); train on it as it is."
                : $"{Plural(deep.Count, "picture lies", "pictures lie")} deeper than '{_options.Images}/<class>/<picture>' (first '{deep[0]}'). Move them up, or name each in a split_file.");
        }

        foreach (var folder in all.Select(f => f.Split('/')[0]).Distinct())
        {
            _names.BlankCount += folder.Trim().Length < folder.Length ? 1 : 0;
            NoteName($"the folder '{folder}'", ClassNameRules.ClassProblem(folder.Trim()));
        }

        all.ForEach(f => Add(new(Path.Combine(_options.Images, f), _names.Of(f.Split('/')[0].Trim()))));
    }

    private void CheckPictures(IProgress<PreparationProgress>? progress, CancellationToken cancellationToken)
    {
        var total = _rows.Count;
        var steps = progress is null ? null : new Relay(done => progress.Report(new(PreparationPhase.Check, done, total)));
        string[] paths = [.. _rows.Select(r => r.Path)];
        if (_options.GroupDuplicates)
        {
            var facts = PictureScan.Run(paths, steps, cancellationToken: cancellationToken);
            _bad = [.. paths.Zip(facts).Where(p => p.Second.Problem is not null).Select(p => new BadImage(p.First, p.Second.Problem ?? ""))];
            Group([.. facts.Where(f => f.Problem is null)]);
            return;
        }

        _bad = ImageScan.Run(paths, steps, cancellationToken: cancellationToken);
        RemoveBad();
    }

    private void RemoveBad()
    {
        var paths = _bad.Select(b => b.Path).ToHashSet(StringComparer.Ordinal);
        _rows.RemoveAll(r => paths.Contains(r.Path));
    }

    // The first row of a group stands for it.
    private void Group(PictureFacts[] good)
    {
        RemoveBad();
        _copies = CopySearch.Alike(good, new DatasetCheckOptions().NearDistance).Select(g => (IReadOnlyList<string>)[.. g.Select(i => _rows[i].Path)]).ToList();
        var first = _copies.SelectMany(g => g.Skip(1).Select(path => KeyValuePair.Create(path, g[0]))).ToDictionary(StringComparer.Ordinal);
        for (var i = 0; i < _rows.Count; i++)
        {
            _rows[i] = _rows[i] with { CopyOf = first.GetValueOrDefault(_rows[i].Path) };
        }
    }

    private void ThrowIfWrong()
    {
        var problems = new PreparationProblems();
        if (_options.BadImages == BadRows.Error)
        {
            problems.Add(
                n => $"{Plural(n, "picture cannot", "pictures cannot")} be read whole. Replace or remove them, or leave them out (bad_images skip):",
                [.. _bad.Select(b => $"{b.Path}: {b.Reason}")]);
        }

        if (_options.Missing == BadRows.Error)
        {
            problems.Add(_ => $"{Plural(_missing.Count, "row has", "rows have")} no picture in '{_options.Images}'. Add the pictures, or leave the rows out (missing skip):", _missing.Count == 0 ? [] : MissingLines());
        }

        problems.Add(n => $"{Plural(n, "id is", "ids are")} there twice. Keep one row each:", _duplicates);
        problems.Add(n => $"{Plural(n, "id fits", "ids fit")} several pictures. Write the extension too:", _ambiguous);
        problems.Add(n => $"{Plural(n, "name cannot", "names cannot")} be used in an image folder. Rename:", _badNames);
        problems.Add(n => $"{Plural(n, "row names", "rows name")} an unknown split. Known: {string.Join(", ", SplitNames.All)}.", _badSplits);
        problems.ThrowIfAny();
        if (_rows.Count == 0)
        {
            throw new DatasetException($"No usable picture is left in '{_options.Images}': {_missing.Count} missing, {_bad.Count} unreadable.");
        }
    }

    private string[] MissingLines() =>
    [
        .. _hints.OrderByDescending(h => h.Value.Count).ThenBy(h => h.Key, StringComparer.Ordinal).Select(h => $"{Plural(h.Value.Count, "differs", "differ")} {h.Key} from a picture that is there: {h.Value.Example}"),
        .. _missingAlone.Take(MostListed),
        .. _missingAlone.Count > MostListed ? [$"and {_missingAlone.Count - MostListed} more"] : Array.Empty<string>(),
    ];

    private IReadOnlyList<LeftOut> FindLeftOut(LeftOutReason known) => LeftOutSearch.Run(Path.TrimEndingDirectorySeparator(Path.GetFullPath(_options.Images)), _seen, known);

    private bool NoteName(string what, string? problem)
    {
        if (problem is not null)
        {
            _badNames.Add($"{what}: {problem}");
        }

        return problem is null;
    }

    // Progress<T> posts to another thread and may report after the end; a plain call does not.
    private sealed class Relay(Action<int> report) : IProgress<int>
    {
        public void Report(int value) => report(value);
    }
}

/// <summary>One picture to prepare.</summary>
/// <param name="Path">Full path of the source.</param>
/// <param name="Label">Class name.</param>
/// <param name="Split">Split fixed by a split file, or null.</param>
/// <param name="CopyOf">Path of the picture that this one is a copy of and goes with, or null.</param>
internal sealed record PreparationRow(string Path, string Label, string? Split = null, string? CopyOf = null);
