using System.Text.RegularExpressions;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Readers;

/// <summary>Which files belong to which split: by the patterns a user gives, or by the names of folders and files.</summary>
/// <remarks>Source: datasets <c>data_files.py</c>. Parity: exact; the files of a split come pattern by pattern, within a pattern by path in code point order.</remarks>
internal static partial class DataFiles
{
    private const string Separators = "[-._ 0-9]";
    private static readonly HashSet<string> s_ignored = ["README.md", "config.json", "dataset_info.json", "dataset_infos.json", "dummy_data.zip", "dataset_dict.json"];

    /// <summary>One split and its files.</summary>
    /// <param name="Name">Name of the split.</param>
    /// <param name="Files">Full paths.</param>
    public sealed record SplitFiles(string Name, IReadOnlyList<string> Files);

    /// <summary>Finds the splits of a folder by the names in it.</summary>
    /// <param name="root">Full path of the folder.</param>
    /// <exception cref="DatasetException">The folder is absent or holds no file that counts.</exception>
    public static IReadOnlyList<SplitFiles> Find(string root)
    {
        var files = FolderListing.Files(root).Where(f => !s_ignored.Contains(Name(f))).ToArray();
        var patterns = Sharded(files) ?? DefaultRules().FirstOrDefault(rule => rule.Any(s => s.Patterns.Any(p => p.Matches(files).Any())))
            ?? throw new DatasetException($"The directory at {root} doesn't contain any data files");
        return [.. patterns
            .Select(s => new SplitFiles(s.Split, [.. s.Patterns.SelectMany(p => p.Matches(files)).Select(f => Path.Combine(root, f))]))
            .Where(s => s.Files.Count > 0)];
    }

    /// <summary>Finds the files of splits given by patterns.</summary>
    /// <param name="root">Folder that relative patterns start from.</param>
    /// <param name="patterns">Patterns by split, absolute or relative.</param>
    /// <exception cref="DatasetException">A name of a split is none, or a file that is named without wildcards is absent.</exception>
    public static IReadOnlyList<SplitFiles> Resolve(string root, IEnumerable<KeyValuePair<string, IReadOnlyList<string>>> patterns)
    {
        var splits = new List<SplitFiles>();
        foreach (var (split, globs) in patterns)
        {
            if (!SplitName().IsMatch(split))
            {
                throw new DatasetException($"Split name should match '^\\w+(\\.\\w+)*$' but got '{split}'.");
            }

            splits.Add(new(split, [.. globs.SelectMany(glob => Resolve(root, glob))]));
        }

        return splits;
    }

    private static IEnumerable<string> Resolve(string root, string pattern)
    {
        var full = Path.IsPathRooted(pattern) ? pattern : $"{Path.TrimEndingDirectorySeparator(root)}/{pattern}";
        if (!FilePattern.HasMagic(pattern))
        {
            return File.Exists(full) ? [Path.GetFullPath(full)] : throw new DatasetException($"Unable to find '{full}'");
        }

        // Listing starts at the last folder before the first wildcard of the pattern; the root's own characters are no wildcards.
        var start = full.Length - pattern.Length;
        var magic = start + pattern.AsSpan().IndexOfAny('*', '?', '[');
        var slash = full.LastIndexOf('/', magic);
        var folder = Path.GetFullPath(full[..Math.Max(slash, 1)]);
        var matcher = new Matcher(full[(slash + 1)..]);
        return matcher.Matches([.. FolderListing.Files(folder).Where(f => !s_ignored.Contains(Name(f)) || Name(f) == Name(pattern))]).Select(f => Path.Combine(folder, f));
    }

    // data/{split}-00000-of-00001.ext: the split's name is whatever stands before.
    private static IReadOnlyList<(string Split, Matcher[] Patterns)>? Sharded(string[] files)
    {
        const string Shard = "-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9]*.*";
        var splits = new Matcher($"data/*{Shard}").Matches(files).Select(f => ShardName().Match(Name(f)).Groups[1].Value).Distinct().ToList();
        if (splits.FirstOrDefault(s => !SplitName().IsMatch(s)) is { } wrong)
        {
            throw new DatasetException($"Split name should match '^\\w+(\\.\\w+)*$' but got '{wrong}'.");
        }

        return splits.Count == 0
            ? null
            : [.. SplitNames.All.Where(splits.Contains).Concat(splits.Except(SplitNames.All).Order(CodePointComparer.Instance)).Select(s => (s, new[] { new Matcher($"data/{s}{Shard}") }))];
    }

    private static IEnumerable<IReadOnlyList<(string Split, Matcher[] Patterns)>> DefaultRules()
    {
        yield return [("logs", [new Matcher("**/*.eval")])];
        yield return [.. SplitNames.Keywords.Select(k => (k.Split, k.Words.SelectMany(FolderPatterns).ToArray()))];
        yield return [.. SplitNames.Keywords.Select(k => (k.Split, k.Words.SelectMany(FilePatterns).ToArray()))];
        yield return [(SplitNames.Train, [new Matcher("**")])];
    }

    private static Matcher[] FolderPatterns(string keyword) =>
    [
        new($"**/{keyword}/**", keyword),
        new($"**/{keyword}{Separators}*/**", keyword),
        new($"**/*{Separators}{keyword}/**", keyword),
        new($"**/*{Separators}{keyword}{Separators}*/**", keyword),
    ];

    private static Matcher[] FilePatterns(string keyword) =>
    [
        new($"**/{keyword}{Separators}*", keyword),
        new($"**/*{Separators}{keyword}{Separators}*", keyword),
    ];

    private static string Name(string path) => path[(path.LastIndexOf('/') + 1)..];

    [GeneratedRegex(@"^\w+(\.\w+)*$")]
    private static partial Regex SplitName();

    [GeneratedRegex(@"^(.+)-[0-9]{5}-of-[0-9]{4}[0-9]*.*$")]
    private static partial Regex ShardName();

    // The keyword is looked for first: of a million files few hold it, and the pattern costs more.
    private sealed class Matcher(string pattern, string? keyword = null)
    {
        private readonly FilePattern _pattern = new(pattern);

        public IEnumerable<string> Matches(string[] files) =>
            files.Where(f => (keyword is null || f.Contains(keyword, StringComparison.Ordinal)) && _pattern.IsMatch(f));
    }
}
