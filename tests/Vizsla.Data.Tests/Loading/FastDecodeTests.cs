using Vizsla.Imaging;
using Vizsla.Loading;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Tests.Loading;

public sealed class FastDecodeTests : IDisposable
{
    private static readonly Compose Pipeline = new(new Resize(20, 30), new RandomHorizontalFlip(0.5), new ToDtype(Scale: true));

    private readonly PictureFolder _folder = new(5, 96, 64, ".jpg");
    private readonly string _cache = Directory.CreateTempSubdirectory("vizsla-fast-").FullName;

    public void Dispose()
    {
        _folder.Dispose();
        Directory.Delete(_cache, recursive: true);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Loads_the_pictures_at_the_smallest_scale_that_the_first_step_allows(int workers)
    {
        var dataset = _folder.Load().WithTransform(Pipeline);

        var batch = Load(dataset, new() { FastDecode = true, Workers = workers });

        // 3/8 of 96x64 is 36x24; 2/8 is too small.
        using var small = ImageCodec.Load(dataset[1].Name, new DecodeOptions { LeastSize = _ => (36, 24) });
        Assert.Equal((36, 24), (small.Width, small.Height));
        using var expected = Pipeline.Run(small, new Rng(Rng.SampleSeed(42, 0, 1)));
        Assert.Equal(expected.Values.ToArray(), batch.AsSpan(1800, 1800).ToArray());
        Assert.NotEqual(Load(dataset, new()), batch);
    }

    [Fact]
    public void Follows_the_shorter_side_of_each_picture()
    {
        var pipeline = new Compose(new Resize(16), new CenterCrop(16), new ToDtype());
        var dataset = _folder.Load().WithTransform(pipeline);

        var batch = Load(dataset, new() { FastDecode = true });

        using var small = ImageCodec.Load(dataset[0].Name, new DecodeOptions { LeastSize = _ => (24, 16) });
        using var expected = pipeline.Run(small, new Rng(0));
        Assert.Equal((24, 16), (small.Width, small.Height));
        Assert.Equal(expected.Values.ToArray(), batch.AsSpan(0, 768).ToArray());
    }

    [Fact]
    public void Refuses_a_pipeline_that_does_not_begin_with_a_resize()
    {
        var pipeline = new Compose(new Compose(new RandomResizedCrop(16)), new ToDtype());
        var dataset = _folder.Load().WithTransform(pipeline);
        const string Message = "fast_decode needs a pipeline that begins with a Resize, which says how large a picture must be decoded, and this one begins with RandomResizedCrop: leave fast_decode out.";

        Assert.Equal(Message, Assert.Throws<ArgumentException>(() => Load(dataset, new() { FastDecode = true })).Message);
        Assert.Equal($"{Message} (Parameter 'transform')", Assert.Throws<ArgumentException>(() => dataset.Map(pipeline, Options(fast: true))).Message);
    }

    [Fact]
    public void Prepared_pictures_of_either_kind_are_kept_apart()
    {
        var dataset = _folder.Load().WithTransform(Pipeline);

        var exact = dataset.Map(Pipeline, Options(fast: false));
        var fast = dataset.Map(Pipeline, Options(fast: true));

        Assert.Equal(Load(dataset, new()), Load(exact, new()));
        Assert.Equal(Load(dataset, new() { FastDecode = true }), Load(fast, new()));
        Assert.Equal(2, Directory.GetFiles(_cache, "*.pictures").Length);
    }

    private MapOptions Options(bool fast) => new() { CacheDirectory = _cache, FastDecode = fast };

    private static float[] Load(ImageDataset dataset, BatchLoaderOptions options)
    {
        using var batch = new BatchLoader(dataset, options with { BatchSize = 5 }).Load([0, 1, 2, 3, 4]).Single();
        return batch.Pixels.ToArray();
    }
}
