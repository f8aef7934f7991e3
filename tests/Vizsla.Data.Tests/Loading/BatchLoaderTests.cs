using Vizsla.Datasets;
using Vizsla.Imaging;
using Vizsla.Loading;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Tests.Loading;

public sealed class BatchLoaderTests
{
    private static readonly Compose Pipeline = new(new RandomHorizontalFlip(0.5), new RandomVerticalFlip(0.5), new Resize(8, 6), new ToDtype(Scale: true));

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(3, 2)]
    [InlineData(8, 5)]
    public void Gives_the_same_batches_for_any_number_of_workers(int workers, int prefetch)
    {
        using var folder = new PictureFolder(11);
        var dataset = folder.Load().WithTransform(Pipeline);
        int[] order = [10, 3, 0, 7, 1, 2, 9, 4, 8, 6, 5];

        var batches = Collect(dataset, new() { BatchSize = 4, Workers = workers, Prefetch = prefetch, Seed = 7 }, order, epoch: 2);

        Assert.Equal([4, 4, 3], batches.Select(b => b.Rows.Length));
        Assert.Equal(order, batches.SelectMany(b => b.Rows));
        Assert.Equal(order.Select(row => (long)dataset.Label(row)), batches.SelectMany(b => b.Labels));
        Assert.Equal(order.SelectMany(row => Expected(dataset, row, Rng.ForSample(7, 2, row))), batches.SelectMany(b => b.Pixels));
    }

    [Fact]
    public void Draws_differ_from_epoch_to_epoch()
    {
        using var folder = new PictureFolder(12);
        var dataset = folder.Load().WithTransform(Pipeline);
        var order = Enumerable.Range(0, 12).ToArray();

        var first = Collect(dataset, new() { BatchSize = 12 }, order, epoch: 0);
        var second = Collect(dataset, new() { BatchSize = 12 }, order, epoch: 1);

        Assert.NotEqual(first[0].Pixels, second[0].Pixels);
    }

    [Fact]
    public void Leaves_out_a_last_batch_that_is_not_full_when_asked()
    {
        using var folder = new PictureFolder(5);
        var dataset = folder.Load().WithTransform(Pipeline);
        var loader = new BatchLoader(dataset, new() { BatchSize = 2, DropLast = true });

        var counts = loader.Load([0, 1, 2, 3, 4]).Select(Count).ToList();

        Assert.Equal([2, 2], counts);
        Assert.Equal(2, loader.BatchCount(5));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Goes_on_inside_an_epoch(int workers)
    {
        using var folder = new PictureFolder(7);
        var dataset = folder.Load().WithTransform(Pipeline);
        int[] order = [6, 5, 4, 3, 2, 1, 0];

        var whole = Collect(dataset, new() { BatchSize = 2, Workers = workers }, order, epoch: 3);
        var rest = Collect(dataset, new() { BatchSize = 2, Workers = workers, StartBatch = 2 }, order, epoch: 3);

        Assert.Equal(whole.Skip(2).Select(b => b.Pixels), rest.Select(b => b.Pixels));
        Assert.Equal(whole.Skip(2).Select(b => b.Rows), rest.Select(b => b.Rows));
    }

    [Fact]
    public void Draws_from_a_shared_stream_in_loading_order_and_only_when_asked()
    {
        using var folder = new PictureFolder(6);
        var dataset = folder.Load().WithTransform(Pipeline);
        var stream = new Rng(5);
        var reference = new Rng(5);
        int[] order = [4, 2, 0, 1, 3, 5];
        var loader = new BatchLoader(dataset, new() { BatchSize = 4, Workers = 0, RngMode = RngMode.SharedStream, SharedRng = stream });

        using var batches = loader.Load(order).GetEnumerator();
        batches.MoveNext();
        using var first = batches.Current;
        var expected = order.Take(4).SelectMany(row => Expected(dataset, row, reference)).ToArray();

        Assert.Equal(expected, first.Pixels.Take(expected.Length));
        Assert.Equal(reference.NextUInt32(), stream.NextUInt32());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Names_the_file_that_cannot_be_read_after_handing_out_the_batches_before_it(int workers)
    {
        using var folder = new PictureFolder(8);
        var dataset = folder.Load().WithTransform(Pipeline);
        var bad = dataset[5].Path!;
        File.WriteAllText(bad, "not a picture");
        var loader = new BatchLoader(dataset, new() { BatchSize = 2, Workers = workers, Prefetch = 4 });
        var handedOut = 0;

        var error = Assert.Throws<DatasetException>(() =>
        {
            foreach (var batch in loader.Load([0, 1, 2, 3, 4, 5, 6, 7]))
            {
                handedOut++;
                batch.Dispose();
            }
        });

        Assert.Equal(2, handedOut);
        Assert.Equal($"The picture '{bad}' cannot be read: it is not a JPEG, PNG, GIF, BMP, WebP or TIFF picture.", error.Message);
    }

    [Fact]
    public void Names_the_file_whose_transform_fails()
    {
        using var folder = new PictureFolder(2);
        var dataset = folder.Load().WithTransform(new Compose(new Failing(), new Resize(4, 4), new ToDtype(Scale: true)));

        var error = Assert.Throws<DatasetException>(() => new BatchLoader(dataset).Load([1]).ToList());

        Assert.Equal($"The picture '{dataset[1].Path}' (row 1) could not be loaded: out of luck", error.Message);
    }

    [Fact]
    public void Stops_when_cancelled()
    {
        using var folder = new PictureFolder(8);
        var dataset = folder.Load().WithTransform(Pipeline);
        using var source = new CancellationTokenSource();
        using var batches = new BatchLoader(dataset, new() { BatchSize = 2, Workers = 2 }).Load([0, 1, 2, 3, 4, 5, 6, 7], 0, source.Token).GetEnumerator();
        Assert.True(batches.MoveNext());
        batches.Current.Dispose();

        source.Cancel();

        Assert.Throws<OperationCanceledException>(() => batches.MoveNext());
    }

    [Fact]
    public void Loads_no_more_than_the_prefetched_batches_ahead()
    {
        using var folder = new PictureFolder(20);
        var counting = new Counting();
        var dataset = folder.Load().WithTransform(new Compose(counting, new Resize(4, 4), new ToDtype(Scale: true)));
        using var batches = new BatchLoader(dataset, new() { BatchSize = 2, Workers = 2, Prefetch = 3 }).Load([.. Enumerable.Range(0, 20)]).GetEnumerator();

        Assert.True(batches.MoveNext());
        batches.Current.Dispose();

        Assert.InRange(counting.Count, 2, 2 + 3 * 2);
    }

    [Fact]
    public void Reuses_the_arrays_of_disposed_batches()
    {
        using var folder = new PictureFolder(4);
        var dataset = folder.Load().WithTransform(Pipeline);
        var loader = new BatchLoader(dataset, new() { BatchSize = 2, Workers = 0 });
        var seen = new HashSet<float[]>(ReferenceEqualityComparer.Instance);

        foreach (var batch in loader.Load([0, 1, 2, 3, 0, 1, 2, 3]))
        {
            seen.Add(batch.Pixels);
            batch.Dispose();
        }

        Assert.Single(seen);
    }

    [Fact]
    public void Puts_pictures_together_whose_common_size_shows_only_when_loaded()
    {
        using var folder = new PictureFolder(3);
        var dataset = folder.Load().WithTransform(new Compose(new ToDtype(Scale: true)));

        var batches = Collect(dataset, new() { BatchSize = 3, Workers = 2 }, [2, 1, 0], epoch: 0);

        Assert.Equal((24, 20), (batches[0].Width, batches[0].Height));
        Assert.Equal(new[] { 2, 1, 0 }.SelectMany(row => Expected(dataset, row, new Rng(0))), batches[0].Pixels);
    }

    [Fact]
    public void Says_how_to_mend_pictures_of_different_sizes()
    {
        using var folder = new PictureFolder(2);
        using var other = new Image(10, 10);
        ImageCodec.SavePng(other, folder.Files[1]);
        var dataset = folder.Load().WithTransform(new Compose(new ToDtype(Scale: true)));

        var error = Assert.Throws<DatasetException>(() => new BatchLoader(dataset).Load([0, 1]).ToList());

        Assert.Equal(
            "The pipeline makes pictures of different sizes: [3, 20, 24] of row 0, [3, 10, 10] of row 1; end it in one size, for instance with a Resize((height, width)) or a CenterCrop.",
            error.Message);
    }

    [Fact]
    public void Lists_every_problem_of_its_options()
    {
        using var folder = new PictureFolder(2);

        var error = Assert.Throws<ArgumentException>(() => new BatchLoader(
            folder.Load(), new() { BatchSize = 0, Workers = 2, Prefetch = 0, RngMode = RngMode.SharedStream }));

        Assert.Equal(
            "BatchSize is 0 and must be at least 1. Prefetch is 0 and must be at least 1. RngMode SharedStream draws in loading order and needs Workers 0, got 2. "
            + "RngMode SharedStream needs a SharedRng. (Parameter 'options')",
            error.Message);
    }

    private static float[] Expected(ImageDataset dataset, int row, Rng rng)
    {
        using var image = dataset.LoadImage(row);
        using var tensor = dataset.Transform!.Run(image, rng);
        return tensor.Values.ToArray();
    }

    private static int Count(ImageBatch batch)
    {
        using (batch)
        {
            return batch.Count;
        }
    }

    private static List<Loaded> Collect(ImageDataset dataset, BatchLoaderOptions options, int[] order, long epoch)
    {
        var result = new List<Loaded>();
        foreach (var batch in new BatchLoader(dataset, options).Load(order, epoch))
        {
            using (batch)
            {
                var values = batch.Count * batch.Channels * batch.Height * batch.Width;
                result.Add(new(batch.Pixels[..values], batch.Labels[..batch.Count], batch.Rows[..batch.Count], batch.Width, batch.Height));
            }
        }

        return result;
    }

    private sealed record Loaded(float[] Pixels, long[] Labels, int[] Rows, int Width, int Height);

    private sealed record Failing : ImageTransform
    {
        public override bool IsRandom => false;

        public override Image Apply(Image image, Rng rng) => throw new InvalidOperationException("out of luck");
    }

    private sealed record Counting : ImageTransform
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public override bool IsRandom => false;

        public override Image Apply(Image image, Rng rng)
        {
            Interlocked.Increment(ref _count);
            return image;
        }
    }
}
