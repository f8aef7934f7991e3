using Vizsla.Studio.Layout;

namespace Vizsla.Studio.Runs;

/// <summary>The runs below a folder; reads only what was added since the last look.</summary>
internal sealed class RunLibrary(StudioOptions options, TimeProvider time)
{
    private const int Depth = 3;
    private static readonly string[] Marks = ["events.jsonl", "trainer_state.json", "training_args.json"];

    // Many pages look every second; one look serves them.
    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(800);

    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(50);

    private readonly Dictionary<string, RunReader> _readers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _colors = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private IReadOnlyList<RunSnapshot>? _looked;
    private long _lookedAt;

    /// <summary>Whether a folder of runs was given.</summary>
    public bool HasFolder => options.Runs is not null;

    /// <summary>Runs that are there and not read yet.</summary>
    public int Unread { get; private set; }

    /// <summary>All runs, the one written last first; those that have ended come without their rows, see <see cref="Find"/>.</summary>
    /// <param name="patience">How long to read new runs; what is left is read by the next look. Null reads all.</param>
    public IReadOnlyList<RunSnapshot> Look(TimeSpan? patience = null)
    {
        lock (_lock)
        {
            if (patience is not null && Unread == 0 && _looked is { } known && time.GetElapsedTime(_lookedAt) < Fresh)
            {
                return known;
            }

            _looked = LookAnew(patience);
            _lookedAt = time.GetTimestamp();
            return _looked;
        }
    }

    /// <summary>Names and folders of the runs that hold a model, the one changed last first; nothing of them is read.</summary>
    public IReadOnlyList<(string Name, string Folder)> FindModels()
    {
        lock (_lock)
        {
            Discover();
            return [.. _readers.Where(r => File.Exists(Path.Combine(r.Value.Folder, "config.json"))).OrderByDescending(r => r.Value.Touched).Select(r => (r.Key, r.Value.Folder))];
        }
    }

    /// <summary>Reads what is there a little at a time, so that the first page does not wait for it.</summary>
    public void Warm()
    {
        try
        {
            do
            {
                Look(Slice);
            }
            while (Unread > 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The page that is opened says what cannot be read.
        }
    }

    /// <summary>One run by its name with all its rows, or null when it is not there, or no longer.</summary>
    public RunSnapshot? Find(string name)
    {
        lock (_lock)
        {
            if (!_readers.TryGetValue(name, out var reader))
            {
                Discover();
                reader = _readers.GetValueOrDefault(name);
            }

            return reader?.Read();
        }
    }

    /// <summary>The color of a run: the same on every page, whatever else is shown.</summary>
    public string ColorOf(string name)
    {
        lock (_lock)
        {
            if (!_colors.TryGetValue(name, out var color))
            {
                _colors[name] = color = _colors.Count;
            }

            return Theme.Series[color % Theme.Series.Count];
        }
    }

    /// <summary>Whether the folder of runs is itself this run.</summary>
    public bool IsRoot(string name) => options.Runs is { } root && _readers.TryGetValue(name, out var reader) && Path.GetRelativePath(root, reader.Folder) == ".";

    /// <summary>The run of one name has another; its color stays.</summary>
    public void Rename(string name, string to)
    {
        lock (_lock)
        {
            _readers.Remove(name);
            if (_colors.Remove(name, out var color))
            {
                _colors[to] = color;
            }
        }
    }

    /// <summary>Something was changed: the next look is a new one.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _looked = null;
        }
    }

    /// <summary>The folders of runs below one, in order of their paths.</summary>
    public static IEnumerable<string> FoldersBelow(string folder) => FoldersBelow(folder, Depth);

    private List<RunSnapshot> LookAnew(TimeSpan? patience)
    {
        Discover();
        var start = time.GetTimestamp();
        var runs = new List<RunSnapshot>(_readers.Count);
        Unread = 0;
        foreach (var reader in _readers.Values.OrderByDescending(r => r.Touched).ToList())
        {
            if (patience is { } limit && !reader.IsKnown && time.GetElapsedTime(start) > limit)
            {
                Unread++;
            }
            else if (reader.ReadSummary() is { } run)
            {
                runs.Add(run);
            }
        }

        // The oldest first, so that runs after one another differ and new ones change nothing.
        (Unread > 0 ? [] : runs).OrderBy(r => r.Started).ThenBy(r => r.Name, StringComparer.Ordinal).ToList().ForEach(r => ColorOf(r.Name));
        return [.. runs.OrderByDescending(r => r.Updated)];
    }

    private void Discover()
    {
        if (options.Runs is not { } root || !Directory.Exists(root))
        {
            _readers.Clear();
            return;
        }

        foreach (var folder in FoldersBelow(root, Depth))
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
    }

    private static IEnumerable<string> FoldersBelow(string folder, int depth)
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
            .SelectMany(inner => FoldersBelow(inner, depth - 1));
    }
}
