using Vizsla.Datasets;
using Vizsla.Datasets.Drawing;
using Vizsla.Datasets.Splits;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Splits;

public sealed class GroupedPreparationTests : IDisposable
{
    private const int Count = 40;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Without_copies_the_split_is_the_plain_one(bool stratify)
    {
        Paint();

        var plain = Prepare("plain", o => o with { Stratify = stratify });
        var grouped = Prepare("grouped", o => o with { Stratify = stratify, GroupDuplicates = true });

        Assert.Empty(grouped.Copies);
        Assert.Equal(Rows(plain), Rows(grouped));
        Assert.Equal((false, true), (SplitManifest.Read(plain.Output)!.GroupDuplicates, SplitManifest.Read(grouped.Output)!.GroupDuplicates));
    }

    [Fact]
    public void Copies_exact_and_near_are_on_one_side_and_the_other_pictures_where_they_were()
    {
        Paint();
        var plain = Prepare("plain");
        for (var i = 0; i < Count; i += 2)
        {
            Vary(i);
        }

        var grouped = Prepare("grouped", o => o with { GroupDuplicates = true });
        var again = Prepare("again", o => o with { GroupDuplicates = true });

        var splitOf = grouped.Manifest.Splits.SelectMany(s => s.Value.Select(f => (f.Source, s.Key))).ToDictionary(p => p.Source, p => p.Key);
        Assert.Equal(Count / 2, grouped.Copies.Count);
        Assert.All(Enumerable.Range(0, Count / 2), i => Assert.Equal(splitOf[$"c{2 * i % 3}/{2 * i:00}.png"], splitOf[$"c{2 * i % 3}/{2 * i:00}-copy{(i % 2 == 0 ? ".png" : ".jpg")}"]));
        Assert.Equal(Rows(grouped), Rows(again));
        Assert.Equal(Rows(plain), Rows(grouped).Where(r => !r.Contains("-copy", StringComparison.Ordinal)));
    }

    [Fact]
    public void Without_grouping_copies_are_torn_apart()
    {
        Paint();
        for (var i = 0; i < Count; i += 2)
        {
            Vary(i);
        }

        var plain = Prepare("plain");

        var splitOf = plain.Manifest.Splits.SelectMany(s => s.Value.Select(f => (f.Source, s.Key))).ToLookup(p => p.Source[..5], p => p.Key);
        Assert.Contains(splitOf, g => g.Distinct().Count() > 1);
        Assert.Empty(plain.Copies);
    }

    [Fact]
    public void A_class_of_copies_alone_is_one_picture_and_too_few()
    {
        Paint();
        File.Copy(_folder["photos", "c0", "00.png"], _folder.Reserve("photos/d/1.png"));
        File.Copy(_folder["photos", "c0", "00.png"], _folder.Reserve("photos/d/2.png"));
        using (var image = AnimalPainter.Paint("fish", 64, new Rng(999)))
        {
            ImageCodec.SavePng(image, _folder.Reserve("photos/e/1.png"));
            ImageCodec.SavePng(image, _folder.Reserve("photos/e/2.png"));
        }

        var error = Assert.Throws<DatasetException>(() => Prepare("out", o => o with { GroupDuplicates = true }));

        Assert.Equal(
            $"Cannot stratify the test split: 1 class has fewer than 2 of its {Count + 1} pictures, and each needs at least 2. Add pictures, or split without regard to classes (stratify false).\n  'e' has 1",
            error.Message);
    }

    [Fact]
    public void A_split_file_leaves_nothing_to_group()
    {
        Paint();

        var error = Assert.Throws<DatasetException>(() => Prepare("out", o => o with { GroupDuplicates = true, SplitFile = "split.csv" }));

        Assert.Equal("group_duplicates has no effect with split_file, which says where each picture goes. Leave one of them out; 'vizsla dataset check' finds copies that lie in several splits.", error.Message);
    }

    [Fact]
    public void Broken_pictures_are_told_as_without_grouping()
    {
        Paint();
        _folder.WriteText("photos/c0/00.png", "text");

        var error = Assert.Throws<DatasetException>(() => Prepare("out", o => o with { GroupDuplicates = true }));

        Assert.Equal(Assert.Throws<DatasetException>(() => Prepare("out")).Message, error.Message);
        Assert.Equal(Count - 1, Rows(Prepare("out", o => o with { GroupDuplicates = true, BadImages = BadRows.Skip })).Count());
    }

    private static IEnumerable<string> Rows(PreparationResult result) => result.Manifest.Splits.SelectMany(s => s.Value.Select(f => $"{s.Key} {f.File} {f.Source}"));

    private PreparationResult Prepare(string output, Func<PreparationOptions, PreparationOptions>? change = null)
    {
        var options = new PreparationOptions { Images = _folder["photos"], Output = _folder[output], ValidationSize = 0.2, Overwrite = true };
        return DatasetPreparation.Run(change is null ? options : change(options));
    }

    private void Paint()
    {
        for (var i = 0; i < Count; i++)
        {
            using var image = AnimalPainter.Paint(AnimalPainter.Classes[i % AnimalPainter.Classes.Count], 64, new Rng((ulong)i));
            ImageCodec.SavePng(image, _folder.Reserve($"photos/c{i % 3}/{i:00}.png"));
        }
    }

    // Every other copy has the same content, the others another format and size.
    private void Vary(int i)
    {
        var source = _folder["photos", $"c{i % 3}", $"{i:00}.png"];
        if (i % 4 == 0)
        {
            File.Copy(source, _folder["photos", $"c{i % 3}", $"{i:00}-copy.png"]);
            return;
        }

        using var image = ImageCodec.Load(source);
        using var smaller = Resampler.Resize(image, 56, 56, Interpolation.Bicubic);
        ImageCodec.SaveJpeg(smaller, _folder["photos", $"c{i % 3}", $"{i:00}-copy.jpg"], 85);
    }
}
