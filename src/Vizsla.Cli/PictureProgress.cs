using Spectre.Console;
using static Vizsla.Cli.Wording;

namespace Vizsla.Cli;

/// <summary>Shows how far work on many pictures is: bars for a person at a terminal, one line per finished phase elsewhere.</summary>
internal static class PictureProgress
{
    /// <summary>Runs work that reports from any thread.</summary>
    /// <param name="console">Where to show it.</param>
    /// <param name="work">Given the reporter: phase as a verb in the past ("checked"), number done, number in all.</param>
    public static T Run<T>(CommandConsole console, Func<Action<string, int, int>, T> work)
    {
        if (!console.Interactive)
        {
            return work((phase, done, total) =>
            {
                if (done == total)
                {
                    console.Note($"{phase} {Counted(total, "picture")}");
                }
            });
        }

        var bars = new Dictionary<string, ProgressTask>();
        return console.Error.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).Start(context => work((phase, done, total) =>
        {
            lock (bars)
            {
                if (!bars.TryGetValue(phase, out var bar))
                {
                    bars[phase] = bar = context.AddTask($"{phase} {Counted(total, "picture")}", maxValue: total);
                }

                bar.Value = Math.Max(bar.Value, done);
            }
        }));
    }
}
