using System.Globalization;
using System.Text.Json;
using Vizsla.Datasets;
using Vizsla.Datasets.Checks;
using Vizsla.Hub;
using Vizsla.Primitives;
using static Vizsla.Cli.Wording;

namespace Vizsla.Cli.Jobs;

/// <summary>A dataset as a verb takes it: loaded, and every picture known to be whole.</summary>
internal static class DatasetSource
{
    private const int Listed = 20;

    private static readonly string[] s_heldOut = ["test", "validation"];

    /// <summary>Whether <c>--bad_images</c> leaves pictures out that cannot be read.</summary>
    /// <exception cref="UsageException">Another word than error or skip.</exception>
    public static bool SkipsBadImages(string word) => Choice.Parse("--bad_images", word, ("error", false), ("skip", true));

    /// <summary>The split to measure on: the one that was asked for, else test, else validation.</summary>
    /// <param name="splits">The splits.</param>
    /// <param name="name">What the dataset is called, for messages.</param>
    /// <param name="asked">Value of <c>--split</c>; null where it was not given.</param>
    /// <exception cref="UsageException">There is none; the message lists those that are there.</exception>
    public static string HeldOut(DatasetDict splits, string name, string? asked)
    {
        var split = asked ?? s_heldOut.FirstOrDefault(splits.ContainsKey)
            ?? throw new UsageException($"'{name}' has neither a test nor a validation split; name one with --split: {string.Join(", ", splits.Keys)}.");
        RequireSplit(splits, name, split);
        return split;
    }

    /// <summary>Refuses a split that the dataset does not have.</summary>
    /// <exception cref="UsageException">The message lists those that are there, and the nearest.</exception>
    public static void RequireSplit(DatasetDict splits, string name, string split)
    {
        if (!splits.ContainsKey(split))
        {
            throw new UsageException($"--split '{split}' is not a split of '{name}'. It has {string.Join(", ", splits.Keys)}.{Suggestion.DidYouMean(split, splits.Keys)}");
        }
    }

    /// <summary>Opens a folder, or a dataset on the Hub, whose files come into the cache; says what is left out.</summary>
    /// <param name="nameOrFolder">Path of a folder of pictures or Parquet files, or <c>owner/name</c>.</param>
    /// <param name="revision">Branch, tag or commit on the Hub; null means <c>main</c>.</param>
    /// <param name="options">How it is read.</param>
    /// <param name="console">Where to show files on their way, and what is left out.</param>
    /// <param name="cancellationToken">Stops the transfer.</param>
    /// <exception cref="DatasetException">There is no such folder, or nothing in it that can be read.</exception>
    /// <exception cref="HubException">The Hub has no such dataset, or cannot be reached.</exception>
    public static async Task<DatasetDict> OpenAsync(string nameOrFolder, string? revision, DatasetLoadOptions options, CommandConsole console, CancellationToken cancellationToken)
    {
        var splits = await LoadAsync(nameOrFolder, revision, options, console, cancellationToken);
        if (splits.Features.ImageColumn is null)
        {
            throw new DatasetException($"'{nameOrFolder}' has no column of pictures. Columns: {string.Join(", ", splits.Features.Names)}. Name it with --image_column.");
        }

        foreach (var left in splits.LeftOut)
        {
            console.Note($"Left out of '{nameOrFolder}': {left.Sentence}.");
        }

        return splits;
    }

    /// <summary>Refuses a dataset without labels before anything long is done with it.</summary>
    /// <param name="splits">The splits.</param>
    /// <param name="name">What the dataset is called, for messages.</param>
    /// <exception cref="DatasetException">There is no column of classes; says what to do.</exception>
    public static void RequireLabels(DatasetDict splits, string name)
    {
        // A dataset that lacks the split to train on has something else said of it.
        if (!splits.ContainsKey("train"))
        {
            return;
        }

        if (splits.Features.ClassLabel is { } classes)
        {
            if (classes.Names.Count == 1)
            {
                throw new DatasetException($"All pictures of '{name}' are of the class '{classes.Names[0]}'; a classifier needs at least two.");
            }

            return;
        }

        if (SeveralLabels(splits["train"]) is { } several)
        {
            throw new DatasetException(
                $"The column '{several}' of '{name}' holds several labels in each row, and a picture has one class here: training on several labels a picture is not supported. Name a column with one label a row with --label_column.");
        }

        var others = splits.Features.Names.Where(n => n != splits.Features.ImageColumn).ToList();
        throw new DatasetException(others.Count > 0
            ? $"'{name}' has no column of classes. Columns: {string.Join(", ", splits.Features.Names)}. Name the one that holds the labels with --label_column."
            : OnlyFolder(name) is { } folder ? $"All pictures of '{name}' are of the class '{folder}'; a classifier needs at least two. Put the pictures of each class into a folder of its own."
            : $"'{name}' has no class folders, so its photos have no labels. Expected '{name}/<split>/<class>/<photo>'; 'vizsla prepare --images {name} --labels CSV --output NAME' makes that of a flat folder.");
    }

    // A list beside the pictures, where no other column could be the class.
    private static string? SeveralLabels(ImageDataset rows) =>
        rows.Features.Where(f => f.Key != rows.Features.ImageColumn).ToList() is [var only] && rows.Count > 0 && rows.Value(0, only.Key) is IReadOnlyList<object?> ? only.Key : null;

    // One folder for all pictures is no column of classes to Python's reader.
    private static string? OnlyFolder(string name)
    {
        var train = Path.Combine(name, "train");
        var folder = Directory.Exists(train) ? train : name;
        return Directory.Exists(folder) && !Directory.EnumerateFiles(folder).Any() && Directory.GetDirectories(folder) is [var only] ? Path.GetFileName(only) : null;
    }

    private static async Task<DatasetDict> LoadAsync(string nameOrFolder, string? revision, DatasetLoadOptions options, CommandConsole console, CancellationToken cancellationToken)
    {
        if (Directory.Exists(nameOrFolder))
        {
            return DatasetDict.Load(nameOrFolder, options);
        }

        if (!nameOrFolder.Contains('/', StringComparison.Ordinal))
        {
            throw new DatasetException($"There is no folder '{nameOrFolder}'. Give the path of a folder, or 'owner/name' for a dataset on a Hub.");
        }

        if (!RepoId.TryParse(nameOrFolder, RepoType.Dataset, out _))
        {
            throw new DatasetException($"'{nameOrFolder}' is neither a folder nor the name of a dataset on a Hub ('owner/name').");
        }

        using var hub = new HubClient();
        console.Note($"Dataset '{nameOrFolder}' of {hub.Options.Endpoint.GetLeftPart(UriPartial.Authority)}.");
        try
        {
            return await TransferDisplay.RunAsync(console, "fetched", progress => DatasetDict.LoadAsync(nameOrFolder, options, revision, hub, progress, cancellationToken));
        }
        catch (HubException e) when (e.Kind == HubErrorKind.RepositoryNotFound)
        {
            throw new DatasetException($"There is no folder '{nameOrFolder}' here. {e.Message}", e);
        }
    }

    /// <summary>Looks at every picture of the splits that will be used.</summary>
    /// <param name="loaded">The splits.</param>
    /// <param name="name">What the dataset is called, for messages.</param>
    /// <param name="splits">Names of the splits that will be used; null takes all.</param>
    /// <param name="skipBad">Whether pictures that cannot be read are left out instead of ending the run.</param>
    /// <param name="console">Where to show progress and what is left out.</param>
    /// <param name="cancellationToken">Stops the scan.</param>
    /// <exception cref="DatasetException">A picture cannot be read; the message lists them all.</exception>
    public static DatasetDict Check(DatasetDict loaded, string name, IReadOnlyList<string>? splits, bool skipBad, CommandConsole console, CancellationToken cancellationToken)
    {
        var kept = new List<KeyValuePair<string, ImageDataset>>();
        var problems = new List<BadImage>();
        foreach (var (key, split) in loaded)
        {
            if (splits is not null && !splits.Contains(key))
            {
                kept.Add(KeyValuePair.Create(key, split));
                continue;
            }

            var bad = Scan(split, console.Processes.Size > 1 ? $"rank {console.Processes.Rank} checked of {key}" : $"checked {key}", console, cancellationToken);
            problems.AddRange(bad.Select(b => b.Image));
            var left = bad.Select(b => b.Row).ToHashSet();
            kept.Add(KeyValuePair.Create(key, left.Count == 0 ? split : split.Select(Enumerable.Range(0, split.Count).Where(row => !left.Contains(row)))));
        }

        if (problems.Count == 0)
        {
            return loaded;
        }

        var list = string.Concat(problems.Take(Listed).Select(p => $"\n  {p.Path}: {p.Reason}"))
            + (problems.Count > Listed ? $"\n  and {problems.Count - Listed} more" : "");
        if (!skipBad)
        {
            throw new DatasetException($"{Counted(problems.Count, "picture")} of '{name}' cannot be read completely. Replace or remove them, or pass --bad_images skip.{list}");
        }

        console.Note($"Left out {Counted(problems.Count, "picture")} that cannot be read completely:{list}");
        return new DatasetDict(kept);
    }

    // Each process looks at a part of the pictures, and all learn what was found.
    private static List<(int Row, BadImage Image)> Scan(ImageDataset split, string what, CommandConsole console, CancellationToken cancellationToken)
    {
        var processes = console.Processes;
        var (start, end) = processes.Share(split.Count, processes.Rank);
        var own = processes.IsShared ? split.Select(Enumerable.Range(start, end - start)) : split;
        var bad = PictureProgress.Run(console, report => ImageScan.Run(own, new Relay<int>(done => report(what, done, own.Count)), cancellationToken))
            .Select(b => (Row: b.Row + start, b.Image)).ToList();
        return processes.IsShared
            ? [.. processes.AllGather(JsonSerializer.Serialize(bad.Select(b => new[] { Invariant($"{b.Row}"), b.Image.Path, b.Image.Reason })))
                .SelectMany(text => JsonSerializer.Deserialize<string[][]>(text)!)
                .Select(b => (int.Parse(b[0], CultureInfo.InvariantCulture), new BadImage(b[1], b[2])))]
            : bad;
    }
}
