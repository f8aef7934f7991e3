namespace Vizsla.Studio.Runs;

/// <summary>The runs below a folder; reads only what was added since the last look.</summary>
internal sealed class RunLibrary(StudioOptions options, TimeProvider time)
{
    private const int Depth = 3;
    private static readonly string[] Marks = ["events.jsonl", "trainer_state.json", "training_args.json"];

    private readonly Dictionary<string, RunReader> _readers = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    /// <summary>Whether a folder of runs was given.</summary>
    public bool HasFolder => options.Runs is not null;

    /// <summary>All runs, the one written last first.</summary>
    public IReadOnlyList<RunSnapshot> Look()
    {
        if (options.Runs is not { } root || !Directory.Exists(root))
        {
            return [];
        }

        lock (_lock)
        {
            foreach (var folder in Find(root, Depth))
            {
                var name = Path.GetRelativePath(root, folder) is var relative && relative == "."
                    ? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)))
                    : relative.Replace(Path.DirectorySeparatorChar, '/');
                _readers.TryAdd(name, new RunReader(name, folder, time));
            }

            foreach (var gone in _readers.Where(r => !Directory.Exists(r.Value.Folder)).Select(r => r.Key).ToList())
            {
                _readers.Remove(gone);
            }

            return [.. _readers.Values.Select(r => r.Read()).OrderByDescending(r => r.Updated)];
        }
    }

    /// <summary>One run by its name, or null.</summary>
    public RunSnapshot? Find(string name)
    {
        lock (_lock)
        {
            if (_readers.TryGetValue(name, out var reader))
            {
                return reader.Read();
            }
        }

        return Look().FirstOrDefault(r => r.Name == name);
    }

    private static IEnumerable<string> Find(string folder, int depth)
    {
        if (Marks.Any(mark => File.Exists(Path.Combine(folder, mark))))
        {
            return [folder];
        }

        if (depth == 0)
        {
            return [];
        }

        // A link may lead out of the folder that was given, or round in a circle.
        return Directory.EnumerateDirectories(folder, "*", new EnumerationOptions { IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Hidden })
            .Order(StringComparer.Ordinal)
            .SelectMany(inner => Find(inner, depth - 1));
    }
}
