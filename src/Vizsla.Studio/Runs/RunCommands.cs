namespace Vizsla.Studio.Runs;

/// <summary>The commands that go on from a run, as they are typed where the studio was started.</summary>
internal static class RunCommands
{
    /// <summary>Each command and what it does.</summary>
    public static IReadOnlyList<(string Title, string Command)> Of(RunSnapshot run, StudioOptions options)
    {
        var folder = Quote(FolderOf(run, options.Runs!));
        var dataset = Quote(run.Arguments.GetValueOrDefault("dataset") ?? options.Dataset ?? "DATASET");
        return
        [
            ("Go on from the last checkpoint", $"vizsla train --dataset {dataset} --output_dir {folder} --resume_from_checkpoint true"),
            ("Evaluate on the test split", $"vizsla evaluate --model {folder} --dataset {dataset} --split test"),
            ("Serve", $"vizsla serve --model {folder}"),
            ("This page as one file", $"vizsla report {folder} --output report.html"),
        ];
    }

    // As the folder of runs was typed; it is itself the run where the two are the same.
    private static string FolderOf(RunSnapshot run, string root)
    {
        var typed = root.Length > 1 ? Path.TrimEndingDirectorySeparator(root) : root;
        return Path.GetRelativePath(root, run.Folder) == "." ? typed : Path.Combine(typed, run.Name);
    }

    private static string Quote(string word) => word.Contains(' ', StringComparison.Ordinal) ? $"\"{word}\"" : word;
}
