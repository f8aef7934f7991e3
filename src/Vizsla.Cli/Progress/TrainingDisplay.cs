using Vizsla.Training.Callbacks;

namespace Vizsla.Cli.Progress;

/// <summary>Shows a training while it runs; dispose it when the training has ended, however it ended.</summary>
internal abstract class TrainingDisplay : TrainerCallback, IDisposable
{
    /// <summary>The names that <c>--log_format</c> takes.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["auto", "bar", "text", "json"];

    /// <summary>The display for a console.</summary>
    /// <param name="console">Where to show it.</param>
    /// <param name="format">One of <see cref="Formats"/>; <c>auto</c> is a bar at a terminal and text elsewhere and where <c>CI</c> is set.</param>
    /// <param name="noBar">Whether <c>auto</c> is text at a terminal too (<c>disable_tqdm</c>).</param>
    /// <param name="time">The clock; null is the system's.</param>
    public static TrainingDisplay Create(CommandConsole console, string format = "auto", bool noBar = false, TimeProvider? time = null)
    {
        var clock = time ?? TimeProvider.System;
        return format switch
        {
            "json" => new JsonDisplay(console, clock),
            "bar" => new LiveDisplay(console, clock),
            "auto" when console.Interactive && !noBar => new LiveDisplay(console, clock),
            _ => new TextDisplay(console, clock),
        };
    }

    /// <summary>Ends the display.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives back the terminal.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>A duration as hours, minutes and seconds.</summary>
    protected static string Duration(TimeSpan? span) => span is { } time ? $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}" : "-:--:--";

    /// <summary>Memory of this process.</summary>
    protected static string Memory() => Invariant($"{Environment.WorkingSet / (double)(1 << 30):F1} GiB");
}
