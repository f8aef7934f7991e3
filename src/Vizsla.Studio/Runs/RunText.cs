using System.Globalization;

namespace Vizsla.Studio.Runs;

/// <summary>How the pages write what runs hold.</summary>
internal static class RunText
{
    /// <summary>A number with as many digits as it deserves.</summary>
    public static string Number(double? value) => value switch
    {
        null => "–",
        0 => "0",
        var v when Math.Abs(v.Value) is < 1e-3 or >= 1e6 => v.Value.ToString("0.###e+0", CultureInfo.InvariantCulture),
        var v => v.Value.ToString("0.####", CultureInfo.InvariantCulture),
    };

    /// <summary>A share as a percentage.</summary>
    public static string Percent(double value) => (value * 100).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    /// <summary>A duration as a person says it.</summary>
    public static string Duration(TimeSpan? duration) => duration switch
    {
        null => "–",
        { TotalHours: >= 1 } d => $"{(int)d.TotalHours} h {d.Minutes} min",
        { TotalMinutes: >= 1 } d => $"{d.Minutes} min {d.Seconds} s",
        { } d => $"{d.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} s",
    };

    /// <summary>A duration in its largest unit, rounded up.</summary>
    public static string Roughly(TimeSpan duration) => duration switch
    {
        { TotalHours: >= 2 } d => $"{(int)Math.Ceiling(d.TotalHours)} h",
        { TotalMinutes: >= 1 } d => $"{(int)Math.Ceiling(d.TotalMinutes)} min",
        var d => $"{(int)Math.Ceiling(d.TotalSeconds)} s",
    };

    /// <summary>A moment in UTC: day and minute, of earlier years the date.</summary>
    public static string Date(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString(moment.Year == DateTimeOffset.UtcNow.Year ? "d MMM HH:mm" : "yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>A metric's name without <c>eval_</c>, words apart: <c>top-5 accuracy</c>.</summary>
    public static string Metric(string name) =>
        (name.StartsWith("eval_", StringComparison.Ordinal) ? name["eval_".Length..] : name).Replace('_', ' ');
}

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
            ("Resume from the last checkpoint", $"vizsla train --dataset {dataset} --output_dir {folder} --resume_from_checkpoint true"),
            ("Evaluate on the test split", $"vizsla evaluate --model {folder} --dataset {dataset} --split test"),
            ("Serve", $"vizsla serve --model {folder}"),
            ("This page as one file", $"vizsla report {folder} --output report.html"),
        ];
    }

    /// <summary>A run's folder below the folder of runs as that was typed; it is itself the run where the two are the same.</summary>
    public static string FolderOf(RunSnapshot run, string root)
    {
        var typed = root.Length > 1 ? Path.TrimEndingDirectorySeparator(root) : root;
        return Path.GetRelativePath(root, run.Folder) == "." ? typed : Path.Combine(typed, run.Name);
    }

    /// <summary>A word as a shell takes it.</summary>
    public static string Quote(string word) =>
        word.Length > 0 && word.All(c => char.IsLetterOrDigit(c) || @"-_./=:,\+@%".Contains(c, StringComparison.Ordinal)) ? word
        : word.AsSpan().ContainsAny("\"$`\\") ? $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'"
        : $"\"{word}\"";
}
