using System.Globalization;
using Spectre.Console;
using Vizsla.Hub;

namespace Vizsla.Cli;

/// <summary>Shows files on their way: bars for a person at a terminal, one line per finished file elsewhere.</summary>
internal static class TransferDisplay
{
    /// <summary>Runs a transfer that reports from any thread.</summary>
    /// <param name="console">Where to show it.</param>
    /// <param name="verb">What happens to a file, in the past: "fetched".</param>
    /// <param name="work">Given the reporter.</param>
    public static Task<T> RunAsync<T>(CommandConsole console, string verb, Func<IProgress<TransferProgress>, Task<T>> work)
    {
        if (!console.Interactive)
        {
            return work(new Reporter(p =>
            {
                if (p.Done == p.Total)
                {
                    console.Note($"{verb} {p.Path} ({Size(p.Done)})");
                }
            }));
        }

        return console.Error.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                var bars = new Dictionary<string, ProgressTask>();
                return work(new Reporter(p =>
                {
                    if (!bars.TryGetValue(p.Path, out var bar))
                    {
                        bars[p.Path] = bar = context.AddTask(Markup.Escape(p.Path), maxValue: Math.Max(1, p.Total ?? 1));
                    }

                    bar.Value = Math.Max(bar.Value, p.Done);
                }));
            });
    }

    /// <summary>Bytes as people read them, in powers of ten.</summary>
    public static string Size(long bytes) => bytes switch
    {
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.00} GB"),
    };

    // Progress<T> would report late, from the thread pool; here each report is shown where it is made, one at a time.
    private sealed class Reporter(Action<TransferProgress> report) : IProgress<TransferProgress>
    {
        private readonly HashSet<string> _done = [];

        public void Report(TransferProgress value)
        {
            lock (_done)
            {
                if (value.Done != value.Total || _done.Add(value.Path))
                {
                    report(value);
                }
            }
        }
    }
}
