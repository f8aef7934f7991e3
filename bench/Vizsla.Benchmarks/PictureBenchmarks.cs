using System.Diagnostics;
using Vizsla.Imaging;
using Vizsla.Loading;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Benchmarks;

/// <summary>From files to batches: what each stage costs.</summary>
internal static class PictureBenchmarks
{
    private const int Rounds = 7;
    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(500);

    /// <summary>Decoders alone.</summary>
    /// <param name="args">A folder of photos, or nothing.</param>
    public static void Decode(string[] args)
    {
        var files = Load(args);
        Console.WriteLine($"{files.Length} photos, {files.Average(f => f.Length) / 1024:F0} KiB each; milliseconds a photo, best of {Rounds} rounds on one core");
        Report("Vizsla", files.Length, () => Each(files, data => ImageCodec.Decode(data)));
        Report("Skia", files.Length, () => Each(files, data => SkiaDecoder.Decode(data)));
    }

    /// <summary>Resizing alone.</summary>
    /// <param name="args">A folder of photos, or nothing.</param>
    public static void Resize(string[] args)
    {
        var photos = Array.ConvertAll(Load(args), data => ImageCodec.Decode(data));
        Console.WriteLine($"{photos.Length} photos to 224x224; milliseconds a photo, best of {Rounds} rounds on one core");
        foreach (var interpolation in Enum.GetValues<Interpolation>())
        {
            Report(interpolation.ToString(), photos.Length, () => Array.ForEach(photos, photo => Resampler.Resize(photo, 224, 224, interpolation).Dispose()));
        }
    }

    /// <summary>The whole way to batches of 32, with the augmentations of the tutorial.</summary>
    /// <param name="args">A folder of photos, or nothing.</param>
    public static void Pipeline(string[] args)
    {
        var files = Photos.Find(args.FirstOrDefault(), 300);
        var folder = Photos.AsImageFolder(files);
        var dataset = ImageDataset.LoadImageFolder(folder)["train"].WithTransform(Augmenting());
        var order = Enumerable.Range(0, dataset.Count).ToArray();
        Console.WriteLine($"{order.Length} photos in batches of 32: decode, resize 224, flips, rotation, jitter, blur, normalize; best of {Rounds} epochs");
        var decode = Report("decode alone", order.Length, () => Array.ForEach(order, row => dataset.LoadImage(row).Dispose()));
        var resize = Report("decode and resize", order.Length, () => Array.ForEach(order, row => DecodeAndResize(dataset, row)));
        var whole = Report("whole, caller's thread", order.Length, Epochs(dataset, order, new() { BatchSize = 32, Workers = 0 }));
        for (var workers = 1; workers <= Environment.ProcessorCount; workers++)
        {
            Report($"whole, {workers} worker threads", order.Length, Epochs(dataset, order, new() { BatchSize = 32, Workers = workers }));
        }

        var mapped = dataset.Map(Augmenting(), new MapOptions { CacheDirectory = Path.Combine(folder, "..", "vizsla-benchmark-map") });
        var prepared = Report("whole, caller's, mapped", order.Length, Epochs(mapped, order, new() { BatchSize = 32, Workers = 0 }));
        var plain = new Compose(new Resize(224, 224), new ToDtype(Scale: true), new Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]));
        var evaluation = Report("no augmentation", order.Length, Epochs(dataset.WithTransform(plain), order, new() { BatchSize = 32, Workers = 0 }));
        var evaluationMapped = Report("no augmentation, mapped", order.Length, Epochs(mapped.Map(plain, new MapOptions { CacheDirectory = Path.Combine(folder, "..", "vizsla-benchmark-map") }), order, new() { BatchSize = 32, Workers = 0 }));
        Console.WriteLine($"  mapped is {whole / prepared:F1} times as fast with augmentation, {evaluation / evaluationMapped:F1} times without");
        Console.WriteLine($"  share of the decoder {decode / whole:P0}, of the resize {(resize - decode) / whole:P0}, of all else {(whole - resize) / whole:P0}");

        var epoch = Epochs(dataset, order, new() { BatchSize = 32, Workers = 0 });
        epoch();
        var before = GC.GetTotalAllocatedBytes(precise: true);
        epoch();
        Console.WriteLine($"  managed allocation {(GC.GetTotalAllocatedBytes(precise: true) - before) / order.Length} bytes a photo");
    }

    /// <summary>Each step of the tutorial's pipeline, and others, on decoded photos of 224x224.</summary>
    /// <param name="args">A folder of photos, or nothing.</param>
    public static void Steps(string[] args)
    {
        var photos = Array.ConvertAll(Load(args), DecodeTo224);
        var rng = new Rng(0);
        Console.WriteLine($"{photos.Length} photos of 224x224; milliseconds a photo, best of {Rounds} rounds on one core");
        foreach (var step in Alone())
        {
            Report(step.ToString(), photos.Length, () => Array.ForEach(photos, photo => Apply(step, photo, rng)));
        }

        var tensor = new ImageTensor(3, 224, 224);
        var floats = new Compose(new ToDtype(Scale: true), new Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]));
        Report(floats.ToString(), photos.Length, () => Array.ForEach(photos, photo => floats.Run(photo, rng, tensor)));
    }

    private static ImageTransform[] Alone() =>
    [
        new RandomHorizontalFlip(1),
        new RandomVerticalFlip(1),
        new RandomRotation(0, 90),
        new RandomRotation(0, 90) { Interpolation = Interpolation.Bilinear },
        new RandomAffine(30) { Translate = (0.1, 0.1), Scale = (0.8, 1.2), Interpolation = Interpolation.Bilinear },
        new RandomPerspective(Probability: 1),
        new ElasticTransform(),
        new ColorJitter(Brightness: 0.3),
        new ColorJitter(Contrast: 0.3),
        new ColorJitter(Saturation: 0.3),
        new ColorJitter(Hue: 0.1),
        new GaussianBlur(5, 9),
        new RandomGrayscale(1),
        new RandomAdjustSharpness(2, 1),
        new RandomAutocontrast(1),
        new RandomEqualize(1),
        new RandomPosterize(4, 1),
        new RandomResizedCrop(224),
        new GaussianNoise(),
        new Jpeg(75),
        new AutoAugment(),
        new RandAugment(),
        new TrivialAugmentWide(),
        new AugMix(),
    ];

    private static Image DecodeTo224(byte[] data)
    {
        using var photo = ImageCodec.Decode(data);
        return Resampler.Resize(photo, 224, 224, Interpolation.Bilinear);
    }

    private static void Apply(ImageTransform step, Image photo, Rng rng)
    {
        var result = step.Apply(photo, rng);
        if (!ReferenceEquals(result, photo))
        {
            result.Dispose();
        }
    }

    internal static Compose Augmenting() => new(
        new Resize(224, 224),
        new RandomHorizontalFlip(0.4),
        new RandomVerticalFlip(0.1),
        new RandomApply([new RandomRotation(0, 90)], 0.5),
        new RandomApply([new ColorJitter(Brightness: 0.3, Hue: 0.1)], 0.3),
        new RandomApply([new GaussianBlur(5, 9)], 0.3),
        new ToDtype(Scale: true),
        new Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]));

    private static void DecodeAndResize(ImageDataset dataset, int row)
    {
        using var photo = dataset.LoadImage(row);
        Resampler.Resize(photo, 224, 224, Interpolation.Bilinear).Dispose();
    }

    // Each call is the next epoch, with draws of its own.
    private static Action Epochs(ImageDataset dataset, int[] order, BatchLoaderOptions options)
    {
        var loader = new BatchLoader(dataset, options);
        var epoch = 0L;
        return () =>
        {
            foreach (var batch in loader.Load(order, epoch++))
            {
                batch.Dispose();
            }
        };
    }

    private static byte[][] Load(string[] args) => Array.ConvertAll(Photos.Find(args.FirstOrDefault(), 100), File.ReadAllBytes);

    private static void Each(byte[][] files, Func<byte[], Image> decode)
    {
        foreach (var data in files)
        {
            decode(data).Dispose();
        }
    }

    // The best round: what the machine does when nobody else is on it.
    private static double Report(string what, int count, Action round)
    {
        // Until the methods are compiled for speed.
        var start = Stopwatch.GetTimestamp();
        do
        {
            round();
        }
        while (Stopwatch.GetElapsedTime(start) < WarmUp);

        var best = double.MaxValue;
        for (var i = 0; i < Rounds; i++)
        {
            var watch = Stopwatch.StartNew();
            round();
            best = Math.Min(best, watch.Elapsed.TotalMilliseconds / count);
        }

        Console.WriteLine($"  {what,-60} {best,8:F3} ms {1000 / best,8:F0} photos/s");
        return best;
    }
}
