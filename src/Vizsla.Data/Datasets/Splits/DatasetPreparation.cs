using Vizsla.Datasets.Readers;

namespace Vizsla.Datasets.Splits;

/// <summary>From a folder of pictures with labels to an ImageFolder of <c>train</c>, <c>validation</c> and <c>test</c>: what <c>vizsla prepare</c> does.</summary>
/// <remarks>
/// Everything wrong is found before anything is written, and told at once: unreadable pictures first, then labels, then the split.
/// Source: scikit-learn <c>train_test_split</c>, twice with the same seed. Parity: the same rows in the same order.
/// </remarks>
public static class DatasetPreparation
{
    /// <summary>Checks, splits and copies.</summary>
    /// <param name="options">What is asked.</param>
    /// <param name="progress">Told after each picture, from several threads; may be null.</param>
    /// <param name="cancellationToken">Stops between two pictures and leaves nothing behind.</param>
    /// <returns>What was made.</returns>
    /// <exception cref="DatasetException">The input or the output folder is not usable; lists every problem.</exception>
    /// <exception cref="IOException">Reading or writing failed; nothing is left behind.</exception>
    public static PreparationResult Run(PreparationOptions options, IProgress<PreparationProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Run(options, progress, FileCopy.Transfer, FreeSpace, cancellationToken);

    internal static PreparationResult Run(
        PreparationOptions options,
        IProgress<PreparationProgress>? progress,
        Func<string, string, FileTransfer, string> transfer,
        Func<string, long> freeSpace,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        RefuseOutput(options);
        var source = PreparationSource.Read(options, progress, cancellationToken);
        var splits = PreparationSplit.Cut(source.Rows, options);

        // Before the output, which may lie below the pictures, is there.
        var leftOut = source.LeftOut;
        using var output = OutputFolder.Start(options.Output, options.Overwrite);
        if (options.Transfer == FileTransfer.Copy)
        {
            RequireSpace(source.Rows, options.Output, freeSpace(output.Staging));
        }

        var files = Place(splits, options.Images);
        foreach (var folder in files.Select(f => Path.GetDirectoryName(f.Entry.File) ?? "").Distinct())
        {
            Directory.CreateDirectory(Path.Combine(output.Staging, folder));
        }

        CopyAll(files, output.Staging, options, progress, transfer, cancellationToken);
        var manifest = new SplitManifest(
            options.SplitFile is null ? options.Seed : null,
            options.SplitFile is null ? options.Stratify : null,
            options.SplitFile is null ? options.TestSize : null,
            options.SplitFile is null ? options.ValidationSize : null,
            files.GroupBy(f => f.Split).ToDictionary(g => g.Key, g => (IReadOnlyList<SplitFileEntry>)[.. g.Select(f => f.Entry)]))
        {
            GroupDuplicates = options.GroupDuplicates,
        };
        output.Commit(manifest);
        return new(options.Output, manifest, source.Missing, source.Bad, source.UnlabeledCount, source.Copies) { Notes = source.Notes, LeftOut = leftOut };
    }

    private static void RefuseOutput(PreparationOptions options)
    {
        if (options.GroupDuplicates && options.SplitFile is not null)
        {
            throw new DatasetException("group_duplicates has no effect with split_file, which says where each picture goes. Leave one of them out; 'vizsla dataset check' finds copies that lie in several splits.");
        }

        var images = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Images));
        if (images == Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Output)))
        {
            throw new DatasetException($"The output folder is the picture folder '{options.Images}'; choose another.");
        }

        if (Directory.Exists(options.Output) && !options.Overwrite)
        {
            // Refused before the pictures are checked: the check of a large folder takes minutes.
            OutputFolder.Start(options.Output, overwrite: false).Dispose();
        }
    }

    private static void RequireSpace(IReadOnlyList<PreparationRow> rows, string output, long free)
    {
        var needed = rows.Sum(r => RealFile.Length(r.Path));
        if (needed > free)
        {
            throw new DatasetException($"The disk of '{output}' is too full: the {rows.Count} pictures take {Megabytes(needed)}, {Megabytes(free)} are free. Free some, choose another disk, or link the pictures (link hard or symbolic).");
        }
    }

    // Two sources of one class may have the same name; the second gets a number.
    private static PlacedFile[] Place(IReadOnlyList<(string Split, IReadOnlyList<PreparationRow> Rows)> splits, string images)
    {
        var taken = new HashSet<string>(OperatingSystem.IsLinux() ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase);
        var placed = new List<PlacedFile>();
        foreach (var (split, rows) in splits)
        {
            foreach (var row in rows)
            {
                var (stem, extension) = (Path.GetFileNameWithoutExtension(row.Path), Path.GetExtension(row.Path));
                var file = $"{split}/{row.Label}/{stem}{extension}";
                for (var n = 2; !taken.Add(file); n++)
                {
                    file = $"{split}/{row.Label}/{stem}-{n}{extension}";
                }

                placed.Add(new(split, row.Path, new(file, Path.GetRelativePath(images, row.Path).Replace(Path.DirectorySeparatorChar, '/'), row.Label, Sha256: "")));
            }
        }

        return [.. placed];
    }

    private static void CopyAll(
        PlacedFile[] files,
        string folder,
        PreparationOptions options,
        IProgress<PreparationProgress>? progress,
        Func<string, string, FileTransfer, string> transfer,
        CancellationToken cancellationToken)
    {
        var done = 0;
        try
        {
            Parallel.For(0, files.Length, new ParallelOptions { CancellationToken = cancellationToken }, i =>
            {
                var file = files[i];
                var hash = transfer(file.Source, Path.Combine(folder, file.Entry.File), options.Transfer);
                files[i] = file with { Entry = file.Entry with { Sha256 = hash } };
                progress?.Report(new(PreparationPhase.Copy, Interlocked.Increment(ref done), files.Length));
            });
        }
        catch (AggregateException e) when (e.InnerExceptions.FirstOrDefault(x => x is IOException or UnauthorizedAccessException) is { } first)
        {
            throw new DatasetException($"Writing '{options.Output}' failed and nothing was left behind: {first.Message}", first);
        }
    }

    private static string Megabytes(long bytes) => Invariant($"{bytes / 1_000_000.0:0.0} MB");

    private static long FreeSpace(string folder) =>
        new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(Path.GetFullPath(folder)) ?? folder : folder).AvailableFreeSpace;

    private sealed record PlacedFile(string Split, string Source, SplitFileEntry Entry);
}
