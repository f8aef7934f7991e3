using Vizsla.Imaging;
using Vizsla.Loading;
using Vizsla.Transforms;

namespace Vizsla.Tests.Loading;

public sealed class MapTests : IDisposable
{
    private static readonly Compose Pipeline = new(new Resize(8, 6), new RandomHorizontalFlip(0.5), new RandomVerticalFlip(0.5), new ToDtype(Scale: true));

    private readonly PictureFolder _folder = new(9);
    private readonly string _cache = Directory.CreateTempSubdirectory("vizsla-map-").FullName;

    public void Dispose()
    {
        _folder.Dispose();
        Directory.Delete(_cache, recursive: true);
    }

    [Fact]
    public void Gives_the_batches_of_the_pipeline_on_the_fly_in_every_epoch()
    {
        var direct = _folder.Load().WithTransform(Pipeline);
        var mapped = Map();
        int[] order = [8, 3, 0, 7, 1, 2, 4, 6, 5];

        var (first, second) = (Pixels(mapped, order, 0), Pixels(mapped, order, 1));

        Assert.Equal(Pixels(direct, order, 0), first);
        Assert.Equal(Pixels(direct, order, 1), second);
        Assert.NotEqual(first, second);
    }

    [Fact]
    public void Never_looks_at_the_files_again()
    {
        var mapped = Map();
        var expected = Pixels(mapped, [0, 5], 0);
        foreach (var file in _folder.Files)
        {
            File.Delete(file);
        }

        Assert.Equal(expected, Pixels(mapped, [0, 5], 0));
    }

    [Fact]
    public void Prepares_once_and_again_for_other_steps()
    {
        var progress = new Counter();

        Map(progress: progress);
        Map(progress: progress);
        var after = progress.Count;
        Map(new Compose(new Resize(4, 4), new ToDtype(Scale: true)), progress);

        Assert.Equal(9, after);
        Assert.Equal(18, progress.Count);
        Assert.Equal(2, Files().Length);
    }

    [Fact]
    public void Keeps_the_pictures_of_a_selection()
    {
        var progress = new Counter();
        var mapped = Map(progress: progress);

        var selected = mapped.Select([7, 2]);
        var few = _folder.Load().Select([4, 4, 1]).Map(Pipeline, Options(progress));

        Assert.Equal(Pixels(mapped, [7, 2], 0).Length, Pixels(selected, [0, 1], 0).Length);
        Assert.Equal(9 + 2, progress.Count);
        Assert.Equal(Pixels(_folder.Load().Select([4, 4, 1]).WithTransform(Pipeline), [0, 1, 2], 0), Pixels(few, [0, 1, 2], 0));
    }

    [Fact]
    public void Keeps_pictures_of_different_sizes()
    {
        using var tall = Imaging.Pictures.Draw(10, 40);
        ImageCodec.SavePng(tall, _folder.Files[3]);
        var pipeline = new Compose(new Resize(new ImageSize(12)), new CenterCrop((9, 9)), new ToDtype(Scale: true));
        var uneven = new Compose(new Resize(new ImageSize(12)), new RandomHorizontalFlip(0.5), new CenterCrop((9, 9)), new ToDtype(Scale: true));

        Assert.Equal(Pixels(_folder.Load().WithTransform(pipeline), [0, 3, 5], 0), Pixels(Map(pipeline), [0, 3, 5], 0));
        Assert.Equal(Pixels(_folder.Load().WithTransform(uneven), [0, 3, 5], 0), Pixels(Map(uneven), [0, 3, 5], 0));
    }

    [Fact]
    public void Repairs_a_damaged_picture_in_place()
    {
        var expected = Pixels(Map(), [0, 1, 2, 3, 4, 5, 6, 7, 8], 0);
        var file = Assert.Single(Files());
        var whole = File.ReadAllBytes(file);
        var damaged = whole.ToArray();
        damaged[200] ^= 0xFF;
        File.WriteAllBytes(file, damaged);

        var mapped = Map();

        Assert.Equal(expected, Pixels(mapped, [0, 1, 2, 3, 4, 5, 6, 7, 8], 0));
        Assert.Equal(1, mapped.Prepared!.RepairedCount);
        Assert.Equal(whole, File.ReadAllBytes(file));
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("header")]
    [InlineData("index")]
    [InlineData("empty")]
    public void Builds_a_damaged_file_anew(string damage)
    {
        var expected = Pixels(Map(), [0, 4, 8], 0);
        var file = Assert.Single(Files());
        var bytes = File.ReadAllBytes(file);
        switch (damage)
        {
            case "header":
                bytes[20] ^= 1;
                break;
            case "index":
                bytes[^5] ^= 1;
                break;
            default:
                bytes = damage == "cut" ? bytes[..^100] : [];
                break;
        }

        File.WriteAllBytes(file, bytes);
        var progress = new Counter();

        var mapped = Map(progress: progress);

        Assert.Equal(9, progress.Count);
        Assert.Equal(expected, Pixels(mapped, [0, 4, 8], 0));
    }

    [Fact]
    public void Notices_a_changed_picture_and_lets_the_old_ones_go()
    {
        Map();
        using var other = Imaging.Pictures.Draw(24, 20);
        ImageCodec.SavePng(other, _folder.Files[4]);
        File.SetLastWriteTimeUtc(_folder.Files[4], new DateTime(2001, 2, 3, 0, 0, 0, DateTimeKind.Utc));
        var progress = new Counter();

        var mapped = Map(progress: progress);

        Assert.Equal(9, progress.Count);
        Assert.Single(Files());
        Assert.Equal(Pixels(_folder.Load().WithTransform(Pipeline), Enumerable.Range(0, 9).ToArray(), 0), Pixels(mapped, Enumerable.Range(0, 9).ToArray(), 0));
    }

    [Fact]
    public void Leaves_nothing_behind_when_cancelled_and_takes_away_what_a_killed_process_left()
    {
        Map();
        var leftover = Assert.Single(Files()) + ".123-dead.tmp";
        File.WriteAllText(leftover, "half a file");
        File.WriteAllBytes(Files()[0], []);
        using var source = new CancellationTokenSource();
        source.Cancel();

        Assert.ThrowsAny<OperationCanceledException>(() => _folder.Load().Map(Pipeline, Options(null), source.Token));

        Assert.Empty(Directory.GetFiles(_cache, "*.tmp"));
        Assert.NotEmpty(Pixels(Map(), [0], 0));
    }

    [Fact]
    public void Names_the_first_bad_picture()
    {
        var dataset = _folder.Load();
        var bad = dataset[2].Path!;
        File.WriteAllText(bad, "not a picture");
        File.WriteAllText(dataset[6].Path!, "nor this");

        var error = Assert.Throws<ImageFormatException>(() => Map());

        Assert.Equal(bad, error.File);
        Assert.Empty(Directory.GetFiles(_cache));
    }

    [Fact]
    public async Task Two_may_build_at_once()
    {
        var both = await Task.WhenAll(Task.Run(() => Map()), Task.Run(() => Map()));

        Assert.Equal(Pixels(both[0], [0, 4, 8], 0), Pixels(both[1], [0, 4, 8], 0));
        Assert.Single(Files());
        Assert.Empty(Directory.GetFiles(_cache, "*.tmp"));
    }

    private ImageDataset Map(Compose? pipeline = null, Counter? progress = null) => _folder.Load().Map(pipeline ?? Pipeline, Options(progress));

    private MapOptions Options(Counter? progress) => new() { CacheDirectory = _cache, Workers = 3, Progress = progress };

    private string[] Files() => Directory.GetFiles(_cache, "*.pictures");

    private static float[] Pixels(ImageDataset dataset, int[] order, long epoch)
    {
        var values = new List<float>();
        foreach (var batch in new BatchLoader(dataset, new() { BatchSize = 4, Workers = 2, Seed = 3 }).Load(order, epoch))
        {
            values.AddRange(batch.Pixels.AsSpan(0, batch.Count * batch.Channels * batch.Height * batch.Width));
            batch.Dispose();
        }

        return [.. values];
    }

    private sealed class Counter : IProgress<int>
    {
        private int _count;

        public int Count => _count;

        public void Report(int value) => Interlocked.Increment(ref _count);
    }
}
