using System.Security.Cryptography;
using Vizsla.Datasets;
using Vizsla.Datasets.Splits;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Splits;

public sealed class DatasetPreparationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_flat_folder_becomes_an_image_folder_in_the_rows_of_the_split()
    {
        var options = Flat(20, i => i % 2 == 0 ? "chat noir" : "Épagneul") with { ValidationSize = 0.1 };

        var result = DatasetPreparation.Run(options);

        string[] labels = [.. Enumerable.Range(0, 20).Select(i => i % 2 == 0 ? "chat noir" : "Épagneul")];
        var (rest, test) = StratifiedSplit.Split(labels, 0.2, 13);
        var (train, validation) = StratifiedSplit.Split([.. rest.Select(r => labels[r])], 0.1, 13);
        Assert.Equal(test.Select(r => $"{r}.png"), result.Manifest.Splits["test"].Select(f => f.Source));
        Assert.Equal(validation.Select(r => $"{rest[r]}.png"), result.Manifest.Splits["validation"].Select(f => f.Source));
        Assert.Equal(train.Select(r => $"{rest[r]}.png"), result.Manifest.Splits["train"].Select(f => f.Source));
        var dataset = ImageDataset.LoadImageFolder(options.Output);
        Assert.Equal(["chat noir", "Épagneul"], dataset["train"].ClassNames);
        Assert.Equal([14, 2, 4], dataset.Values.Select(d => d.Count));
    }

    [Fact]
    public void The_split_file_lists_counts_seed_and_the_hash_of_each_file()
    {
        var options = Flat(12, i => $"c{i % 2}") with { Seed = 5 };

        DatasetPreparation.Run(options);

        var manifest = SplitManifest.Read(options.Output)!;
        Assert.Equal(5u, manifest.Seed);
        Assert.True(manifest.Stratify);
        Assert.Equal(SplitSize.OfShare(0.2), manifest.TestSize);
        Assert.Equal(12, manifest.Counts.Values.SelectMany(c => c.Values).Sum());
        Assert.All(manifest.Splits.Values.SelectMany(s => s), f => Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(options.Output, f.File)))), f.Sha256));
    }

    [Fact]
    public void Class_folders_need_no_label_file()
    {
        _folder.Draw(Enumerable.Range(0, 5).SelectMany(i => new[] { $"pets/cat/{i}.png", $"pets/dog/{i}.png" }));

        var result = DatasetPreparation.Run(Options("pets") with { ValidationSize = null, TestSize = 2 });

        Assert.Equal((8, 0, 2), (result.Count("train"), result.Count("validation"), result.Count("test")));
    }

    [Fact]
    public void A_split_file_fixes_where_each_picture_goes()
    {
        _folder.Draw("pets/a/1.png", "pets/b/1.png", "pets/c.png");
        var splits = _folder.WriteText("split.csv", "file,split,label\na/1.png,train,cat\nb/1.png,train,cat\nc.png,test,dog\n");

        var result = DatasetPreparation.Run(Options("pets") with { SplitFile = splits });

        Assert.Equal(["split.json", "test/dog/c.png", "train/cat/1-2.png", "train/cat/1.png"], Pictures.Tree(_folder["out"]));
        Assert.Equal("b/1.png", result.Manifest.Splits["train"].Single(f => f.File == "train/cat/1-2.png").Source);
        Assert.Null(result.Manifest.Seed);
    }

    [Theory]
    [InlineData(FileTransfer.Hard)]
    [InlineData(FileTransfer.Symbolic)]
    public void Links_lead_to_the_same_content(FileTransfer transfer)
    {
        var options = Flat(12, i => $"c{i % 2}") with { Transfer = transfer };

        var result = DatasetPreparation.Run(options);

        var file = result.Manifest.Splits["test"][0];
        var linked = new FileInfo(Path.Combine(options.Output, file.File));
        Assert.Equal(File.ReadAllBytes(_folder["photos", file.Source]), File.ReadAllBytes(linked.FullName));
        Assert.Equal(transfer == FileTransfer.Symbolic, linked.LinkTarget is not null);
    }

    [Fact]
    public void An_existing_output_is_refused()
    {
        var options = Flat(12, i => $"c{i % 2}");
        DatasetPreparation.Run(options);

        AssertFails(options, $"The output folder '{options.Output}' exists. Choose another, or set overwrite to replace what its split.json lists.", leavesOutput: true);
    }

    [Fact]
    public void Overwriting_replaces_what_the_split_file_lists_and_nothing_else()
    {
        var options = Flat(12, i => $"c{i % 2}");
        DatasetPreparation.Run(options);
        var mine = _folder.WriteText("out/train/c0/notes.txt", "mine");

        DatasetPreparation.Run(options with { Overwrite = true, TestSize = null, ValidationSize = null });

        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"train/c{i % 2}/{i}.png").Append("split.json").Append("train/c0/notes.txt").Order(StringComparer.Ordinal), Pictures.Tree(options.Output));
        Assert.Equal("mine", File.ReadAllText(mine));
        Assert.False(Directory.Exists(Path.Combine(options.Output, "test")));
        Assert.Equal(["out", "photos"], Directory.EnumerateDirectories(_folder.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Overwriting_refuses_files_that_the_split_file_does_not_list()
    {
        var options = Flat(12, i => $"c{i % 2}") with { Overwrite = true, TestSize = null, ValidationSize = null };
        _folder.WriteText("out/train/c0/0.png", "mine");

        var error = Assert.Throws<DatasetException>(() => DatasetPreparation.Run(options));

        Assert.Equal($"1 file in '{options.Output}' would be overwritten, but split.json does not list them. Move them away, or choose another output folder:\n  'train/c0/0.png'", error.Message);
        Assert.Equal(["train/c0/0.png"], Pictures.Tree(options.Output));
    }

    [Fact]
    public void A_failed_write_leaves_nothing_behind()
    {
        var options = Flat(12, i => $"c{i % 2}") with { Output = _folder["new", "out"] };
        var written = 0;

        var error = Assert.Throws<DatasetException>(() => DatasetPreparation.Run(
            options,
            null,
            (source, target, transfer) => Interlocked.Increment(ref written) > 3 ? throw new IOException("No space left on device") : FileCopy.Transfer(source, target, transfer),
            _ => long.MaxValue,
            CancellationToken.None));

        Assert.Equal($"Writing '{options.Output}' failed and nothing was left behind: No space left on device", error.Message);
        Assert.Equal(["photos"], Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_full_disk_is_found_before_copying()
    {
        var options = Flat(12, i => $"c{i % 2}");

        var error = Assert.Throws<DatasetException>(() => DatasetPreparation.Run(options, null, FileCopy.Transfer, _ => 0, CancellationToken.None));

        Assert.StartsWith($"The disk of '{options.Output}' is too full: the 12 pictures take ", error.Message, StringComparison.Ordinal);
        Assert.Equal(["photos"], Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_cancelled_run_leaves_nothing_behind()
    {
        var options = Flat(12, i => $"c{i % 2}");
        using var stop = new CancellationTokenSource();

        Assert.ThrowsAny<OperationCanceledException>(() => DatasetPreparation.Run(
            options,
            null,
            (source, target, transfer) =>
            {
                stop.Cancel();
                return FileCopy.Transfer(source, target, transfer);
            },
            _ => long.MaxValue,
            stop.Token));

        Assert.Equal(["photos"], Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Progress_counts_every_picture_once()
    {
        var options = Flat(12, i => $"c{i % 2}");
        var seen = new System.Collections.Concurrent.ConcurrentBag<PreparationProgress>();

        DatasetPreparation.Run(options, new Collect(seen.Add));

        Assert.Equal(Enumerable.Range(1, 12), seen.Where(p => p.Phase == PreparationPhase.Check).Select(p => p.Done).Order());
        Assert.Equal(Enumerable.Range(1, 12), seen.Where(p => p.Phase == PreparationPhase.Copy).Select(p => p.Done).Order());
    }

    private PreparationOptions Flat(int count, Func<int, string> label)
    {
        _folder.Draw(Enumerable.Range(0, count).Select(i => $"photos/{i}.png"));
        _folder.WriteText("photos/labels.csv", "id,breed\n" + string.Concat(Enumerable.Range(0, count).Select(i => $"{i},{label(i)}\n")));
        return Options("photos") with { ValidationSize = 2 };
    }

    private PreparationOptions Options(string images) => new() { Images = _folder[images], Output = _folder["out"] };

    private void AssertFails(PreparationOptions options, string message, bool leavesOutput = false)
    {
        var before = Pictures.Tree(_folder.Path).ToList();

        var error = Assert.Throws<DatasetException>(() => DatasetPreparation.Run(options));

        Assert.Equal(message, error.Message);
        Assert.Equal(before, Pictures.Tree(_folder.Path));
        Assert.Equal(leavesOutput, Directory.Exists(options.Output));
    }

    private sealed class Collect(Action<PreparationProgress> add) : IProgress<PreparationProgress>
    {
        public void Report(PreparationProgress value) => add(value);
    }
}
