using Vizsla.Datasets;
using Vizsla.Datasets.Checks;
using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Checks;

public sealed class DatasetCheckTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_sound_dataset_has_no_findings()
    {
        Paint("train/cat/1.png", "train/dog/2.png", "test/cat/3.png", "test/dog/4.png");

        var report = Check();

        Assert.Empty(report.Findings);
        Assert.Equal([new("train", 2), new("test", 2)], report.Counts);
    }

    [Fact]
    public void Broken_pictures_are_errors_and_those_cut_short_a_kind_of_their_own()
    {
        Paint("train/cat/1.png", "train/dog/2.png", "train/dog/3.png");
        var whole = File.ReadAllBytes(_folder["data", "train", "dog", "3.png"]);
        File.WriteAllBytes(_folder["data", "train", "dog", "3.png"], whole[..(whole.Length / 2)]);
        _folder.WriteText("data/train/dog/2.png", "text");

        var report = Check();

        Assert.Equal(
            [(FindingKind.Unreadable, true, "it is not a JPEG, PNG, GIF, BMP, WebP or TIFF picture", 1), (FindingKind.Truncated, true, "it is truncated", 2)],
            report.Findings.Select(f => (f.Kind, f.IsError, f.Message, Assert.Single(f.Pictures).Row)));
        Assert.Equal(new FoundPicture("train", 2, _folder["data", "train", "dog", "3.png"], "dog"), report.Findings[1].Pictures[0]);
    }

    [Fact]
    public void Copies_are_errors_across_splits_or_labels_and_warnings_within()
    {
        Paint("train/cat/1.png", "train/cat/2.png", "train/dog/3.png", "test/cat/4.png", "test/dog/5.png");
        Copy("train/cat/1.png", "train/cat/1-again.png");
        Copy("train/cat/2.png", "test/cat/2.png");
        Copy("train/dog/3.png", "train/cat/3.png");

        var report = Check();

        Assert.Equal(
            [
                (false, "2 pictures have the same content"),
                (true, "2 pictures have the same content; they lie in train and test"),
                (true, "2 pictures have the same content; they are labeled 'cat' and 'dog'"),
            ],
            report.Of(FindingKind.Exact).Select(f => (f.IsError, f.Message)));
        Assert.Empty(report.Of(FindingKind.Near));
        Assert.Equal((2, 1), (report.ErrorCount, report.WarningCount));
    }

    [Fact]
    public void Another_size_and_format_of_a_picture_is_a_near_copy()
    {
        Paint("train/cat/1.png", "train/dog/2.png", "test/dog/4.png");
        using (var picture = ImageCodec.Load(_folder["data", "train", "cat", "1.png"]))
        using (var smaller = Resampler.Resize(picture, 64, 64, Interpolation.Bicubic))
        {
            ImageCodec.SaveJpeg(smaller, _folder.Reserve("data/test/cat/3.jpg"));
        }

        var finding = Assert.Single(Check().Findings);

        Assert.Equal((FindingKind.Near, true, "2 pictures look alike; they lie in train and test"), (finding.Kind, finding.IsError, finding.Message));
        Assert.Equal(["1.png", "3.jpg"], finding.Pictures.Select(p => Path.GetFileName(p.Name)));
    }

    [Fact]
    public void Odd_sizes_and_plain_pictures_are_warnings()
    {
        Paint("a/1.png", "a/2.png", "b/3.png");
        Fill("b/4.png", 20, 16, isPlain: false);
        Fill("b/5.png", 256, 40, isPlain: false);
        Fill("b/6.png", 64, 64, isPlain: true);

        var report = Check();

        Assert.Equal(
            [
                (FindingKind.Tiny, "it has 20 x 16 pixels, and one side is below 32"),
                (FindingKind.Extreme, "it has 256 x 40 pixels, and one side is 6.4 times the other"),
                (FindingKind.Extreme, "it has one color all over"),
                (FindingKind.LowInformation, "it holds little information: its score is 0.158, below 0.3"),
                (FindingKind.OddShape, "it is of an odd shape: its score is 0.156, below 0.35"),
            ],
            report.Findings.Select(f => (f.Kind, f.Message)));
        Assert.Equal(0, report.ErrorCount);
        Assert.Equal("it has 256 x 40 pixels, more than 0.01 million", Check(new() { MinSide = 0, MaxRatio = 10, MaxMegapixels = 0.01 }).Of(FindingKind.Extreme).First().Message);
    }

    [Fact]
    public void Class_names_that_differ_in_case_and_classes_out_of_balance_are_told()
    {
        Paint([.. Enumerable.Range(0, 11).Select(i => $"train/dog/{i}.png"), "train/Cat/a.png", "train/cat/b.png", "test/dog/c.png", "test/cat/d.png"]);

        var report = Check();

        Assert.Equal(
            [
                (FindingKind.Case, true, "classes that differ only in case, with their pictures: 'cat' (2), 'Cat' (1)"),
                (FindingKind.Imbalance, false, "train has 11 pictures of 'dog' and 1 of 'Cat', 11 times as many"),
                (FindingKind.Imbalance, false, "test has no picture of 'Cat'"),
            ],
            report.Findings.Select(f => (f.Kind, f.IsError, f.Message)));
    }

    [Fact]
    public void Pictures_in_Parquet_are_checked_like_files()
    {
        Paint("cat/1.png", "dog/2.png");
        Copy("cat/1.png", "dog/3.png");
        ImageDataset.LoadImageFolder(_folder["data"])["train"].ToParquet(_folder["rows.parquet"]);

        var report = DatasetCheck.Run(new(KeyValuePair.Create("train", ImageDataset.LoadParquet(_folder["rows.parquet"]))), new() { CacheFolder = _folder["cache"] });

        Assert.Equal(["1.png", "3.png"], Assert.Single(report.Findings).Pictures.Select(p => p.Name));
    }

    [Fact]
    public void A_row_without_a_picture_is_unreadable()
    {
        string?[] rows = [null, "b"];
        using var picture = AnimalPainter.Paint("fish", 48, new Rng(1));
        var dataset = ImageDatasetBuilder.From(rows).WithImage(name => name is null ? null : picture).Build("train");

        var finding = Assert.Single(DatasetCheck.Run(new(KeyValuePair.Create("train", dataset)), new() { CacheFolder = _folder["cache"] }).Findings);

        Assert.Equal((FindingKind.Unreadable, "the row has no picture", "row 0"), (finding.Kind, finding.Message, finding.Pictures[0].Name));
    }

    [Fact]
    public void Facts_of_unchanged_files_are_kept()
    {
        Paint([.. Enumerable.Range(0, 110).Select(i => $"train/c{i % 2}/{i}.png")]);
        var first = Check();
        var path = _folder["data", "train", "c0", "0.png"];
        var (length, written) = (new FileInfo(path).Length, File.GetLastWriteTimeUtc(path));
        File.WriteAllBytes(path, new byte[length]);

        File.SetLastWriteTimeUtc(path, written);
        var kept = Check();
        File.SetLastWriteTimeUtc(path, written.AddSeconds(1));
        var changed = Check();

        Assert.Equal((0, 0, 1), (first.ErrorCount, kept.ErrorCount, changed.ErrorCount));
    }

    [Fact]
    public void The_sheet_shows_copies_side_by_side_and_broken_pictures_as_fields()
    {
        Paint("train/cat/1.png", "train/dog/2.png", "train/dog/3.png");
        Copy("train/cat/1.png", "train/cat/1-again.png");
        _folder.WriteText("data/train/dog/2.png", "text");
        var dataset = ImageDataset.LoadImageFolder(_folder["data"]);

        var (sheet, count) = FindingSheet.Draw(dataset, Check())!.Value;

        using (sheet)
        {
            Assert.Equal(2, count);
            Assert.True(sheet.Width > 3 * 176);
            Assert.Contains(sheet.Pixels.ToArray(), value => value < 40);
        }
    }

    [Fact]
    public void Nothing_found_draws_nothing()
    {
        Paint("train/cat/1.png", "train/dog/2.png");

        Assert.Null(FindingSheet.Draw(ImageDataset.LoadImageFolder(_folder["data"]), Check()));
    }

    [Fact]
    public void A_dataset_of_real_flowers_has_the_copies_that_a_person_finds()
    {
        var report = DatasetCheck.Run(ImageDataset.LoadImageFolder(Golden.RequireData("flowers")), new() { CacheFolder = _folder["cache"] });

        string[] pairs = [.. report.Of(FindingKind.Near).Concat(report.Of(FindingKind.Exact)).Where(f => f.IsAcrossSplits).Select(f => string.Join(' ', f.Pictures.Select(p => Path.GetFileName(p.Name)).Order(StringComparer.Ordinal)))];
        Assert.Contains("image_1150.jpg image_1168.jpg", pairs);
        Assert.Contains("image_0906.jpg image_0926.jpg", pairs);
        Assert.Contains("image_0986.jpg image_1007.jpg", pairs);
        Assert.DoesNotContain(report.Findings, f => f.Pictures.Count > 3);
    }

    private DatasetCheckReport Check(DatasetCheckOptions? options = null) =>
        DatasetCheck.Run(ImageDataset.LoadImageFolder(_folder["data"]), (options ?? new()) with { CacheFolder = _folder["cache"] });

    private void Paint(params string[] files)
    {
        foreach (var (i, file) in files.Index())
        {
            using var image = AnimalPainter.Paint(AnimalPainter.Classes[i % AnimalPainter.Classes.Count], 96, new Rng((ulong)i));
            ImageCodec.SavePng(image, _folder.Reserve($"data/{file}"));
        }
    }

    private void Copy(string from, string to) => File.Copy(_folder["data", from], _folder.Reserve($"data/{to}"));

    private void Fill(string file, int width, int height, bool isPlain)
    {
        using var image = new Image(width, height);
        foreach (var (i, _) in image.Pixels.ToArray().Index())
        {
            image.Pixels[i] = isPlain ? (byte)90 : (byte)(i * 255L * 3 / image.Pixels.Length);
        }

        ImageCodec.SavePng(image, _folder.Reserve($"data/{file}"));
    }
}
