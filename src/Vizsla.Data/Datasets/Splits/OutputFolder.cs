using Vizsla.Primitives;
using static Vizsla.Datasets.Splits.PreparationProblems;

namespace Vizsla.Datasets.Splits;

/// <summary>The folder a preparation makes: filled beside its place and moved there at the end, so that it is whole or absent.</summary>
internal sealed class OutputFolder : IDisposable
{
    private readonly string _path;
    private readonly SplitManifest? _old;
    private readonly string? _madeParent;
    private bool _committed;

    private OutputFolder(string path, SplitManifest? old)
    {
        _path = path;
        _old = old;
        var parent = Path.GetDirectoryName(path) ?? path;
        _madeParent = FirstMissing(parent);
        Directory.CreateDirectory(parent);
        Staging = Beside("partial");
        Directory.CreateDirectory(Staging);
    }

    /// <summary>Folder to fill; becomes the output on <see cref="Commit"/>, is deleted without it.</summary>
    public string Staging { get; }

    /// <summary>Starts a folder.</summary>
    /// <exception cref="DatasetException">It exists and may not be replaced.</exception>
    public static OutputFolder Start(string output, bool overwrite)
    {
        var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(output));
        if (File.Exists(path))
        {
            throw new DatasetException($"The output '{output}' is a file; choose another name for the folder.");
        }

        if (!Directory.Exists(path))
        {
            return new(path, null);
        }

        return overwrite
            ? new(path, SplitManifest.Read(path))
            : throw new DatasetException($"The output folder '{output}' exists. Choose another, or set overwrite to replace what its {SplitManifest.FileName} lists.");
    }

    /// <summary>Puts the folder in its place.</summary>
    /// <param name="manifest">What was put into <see cref="Staging"/>; written there first.</param>
    /// <exception cref="DatasetException">Files that the old manifest does not list are in the way.</exception>
    public void Commit(SplitManifest manifest)
    {
        manifest.Write(Staging);
        if (Directory.Exists(_path))
        {
            Replace([.. manifest.Splits.Values.SelectMany(s => s).Select(f => f.File), SplitManifest.FileName]);
        }
        else
        {
            Directory.Move(Staging, _path);
        }

        _committed = true;
    }

    /// <summary>Deletes what was not committed.</summary>
    public void Dispose()
    {
        if (Directory.Exists(Staging))
        {
            Directory.Delete(Staging, recursive: true);
        }

        if (!_committed && _madeParent is not null && Directory.Exists(_madeParent))
        {
            Directory.Delete(_madeParent, recursive: true);
        }
    }

    private void Replace(string[] files)
    {
        string[] listed = [.. (_old?.Splits.Values ?? []).SelectMany(s => s).Select(f => f.File).Append(SplitManifest.FileName)];
        if (listed.FirstOrDefault(f => Path.IsPathRooted(f) || f.Split('/', '\\').Contains("..")) is { } outside)
        {
            throw new DatasetException($"'{Path.Combine(_path, SplitManifest.FileName)}' lists '{outside}', which lies outside the folder. Move it away, or choose another output folder.");
        }

        var foreign = files.Except(listed, StringComparer.Ordinal).Where(f => File.Exists(Path.Combine(_path, f))).Select(f => $"'{f}'").ToList();
        var problems = new PreparationProblems();
        problems.Add(n => $"{Plural(n, "file", "files")} in '{_path}' would be overwritten, but {SplitManifest.FileName} does not list them. Move them away, or choose another output folder:", foreign);
        problems.ThrowIfAny();

        var replaced = Beside("replaced");
        var moved = new List<(string From, string To)>();
        try
        {
            foreach (var file in listed.Where(f => File.Exists(Path.Combine(_path, f))))
            {
                Move(Path.Combine(_path, file), Path.Combine(replaced, file), moved);
            }

            foreach (var file in files)
            {
                Move(Path.Combine(Staging, file), Path.Combine(_path, file), moved);
            }
        }
        catch (IOException)
        {
            foreach (var (from, to) in Enumerable.Reverse(moved))
            {
                File.Move(to, from);
            }

            throw;
        }

        if (Directory.Exists(replaced))
        {
            Directory.Delete(replaced, recursive: true);
        }

        foreach (var folder in listed.Select(f => Path.GetDirectoryName(f) ?? "").Distinct().OrderDescending(CodePointComparer.Instance))
        {
            DeleteWhileEmpty(Path.Combine(_path, folder));
        }
    }

    private static void Move(string from, string to, List<(string From, string To)> moved)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to) ?? "");
        File.Move(from, to);
        moved.Add((from, to));
    }

    private void DeleteWhileEmpty(string folder)
    {
        while (folder.Length > _path.Length && Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
        {
            Directory.Delete(folder);
            folder = Path.GetDirectoryName(folder) ?? _path;
        }
    }

    private string Beside(string what) =>
        Path.Combine(Path.GetDirectoryName(_path) ?? _path, $".{Path.GetFileName(_path)}.{what}-{Guid.NewGuid().ToString("N")[..8]}");

    private static string? FirstMissing(string folder)
    {
        string? missing = null;
        for (var at = folder; at is not null && !Directory.Exists(at); at = Path.GetDirectoryName(at))
        {
            missing = at;
        }

        return missing;
    }
}
