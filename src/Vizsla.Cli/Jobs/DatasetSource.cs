using Vizsla.Datasets;
using Vizsla.Datasets.Checks;

namespace Vizsla.Cli.Jobs;

/// <summary>A dataset as a verb takes it: loaded, and every picture known to be whole.</summary>
internal static class DatasetSource
{
    private const int Listed = 20;

    /// <summary>Loads the splits of an image folder and looks at every picture of those that will be used.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="splits">Names of the splits that will be used; null takes all.</param>
    /// <param name="skipBad">Whether pictures that cannot be read are left out instead of ending the run.</param>
    /// <param name="console">Where to show progress and what is left out.</param>
    /// <param name="cancellationToken">Stops the scan.</param>
    /// <exception cref="DatasetException">There is no such folder, or a picture cannot be read; the message lists them all.</exception>
    public static DatasetDict Load(string path, IReadOnlyList<string>? splits, bool skipBad, CommandConsole console, CancellationToken cancellationToken)
    {
        var loaded = ImageDataset.LoadImageFolder(path);
        var kept = new List<KeyValuePair<string, ImageDataset>>();
        var problems = new List<BadImage>();
        foreach (var (name, split) in loaded)
        {
            if (splits is not null && !splits.Contains(name))
            {
                kept.Add(KeyValuePair.Create(name, split));
                continue;
            }

            var bad = PictureProgress.Run(console, report => ImageScan.Run(split, new Relay(done => report($"checked {name}", done, split.Count)), cancellationToken));
            problems.AddRange(bad.Select(b => b.Image));
            var left = bad.Select(b => b.Row).ToHashSet();
            kept.Add(KeyValuePair.Create(name, left.Count == 0 ? split : split.Select(Enumerable.Range(0, split.Count).Where(row => !left.Contains(row)))));
        }

        if (problems.Count == 0)
        {
            return loaded;
        }

        var list = string.Concat(problems.Take(Listed).Select(p => $"\n  {p.Path}: {p.Reason}"))
            + (problems.Count > Listed ? $"\n  and {problems.Count - Listed} more" : "");
        if (!skipBad)
        {
            throw new DatasetException($"{problems.Count} pictures of '{path}' cannot be read whole. Mend or remove them, or pass --bad_images skip.{list}");
        }

        console.Note($"Left out {problems.Count} pictures that cannot be read whole:{list}");
        return new DatasetDict(kept);
    }

    private sealed class Relay(Action<int> report) : IProgress<int>
    {
        public void Report(int value) => report(value);
    }
}
