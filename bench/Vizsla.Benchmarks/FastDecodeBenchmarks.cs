using System.Diagnostics;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Benchmarks;

/// <summary>JPEGs at a smaller scale beside the exact way.</summary>
internal static class FastDecodeBenchmarks
{
    private const int LargeWidth = 4000;
    private const int LargeHeight = 3000;
    private const int LargeCount = 6;

    /// <summary>Images per second to 224x224 with and without <c>fast_decode</c>, and how far the pixels are apart, for photos as they are and enlarged to 12 megapixels.</summary>
    /// <param name="args">A folder of photos, or nothing.</param>
    public static void Run(string[] args)
    {
        var files = Array.ConvertAll(Photos.Find(args.FirstOrDefault(), 100), File.ReadAllBytes);
        Compare("photos as they are", files);
        Compare($"photos of {LargeWidth}x{LargeHeight}", Array.ConvertAll(files[..LargeCount], Enlarge));
    }

    private static void Compare(string what, byte[][] files)
    {
        var pipeline = new Compose(new Resize(224, 224));
        var fast = pipeline.FastDecode!;
        var (exactTime, fastTime) = (Time(files, DecodeOptions.Default, pipeline), Time(files, fast, pipeline));
        var (exactDecode, fastDecode) = (Time(files, DecodeOptions.Default, null), Time(files, fast, null));
        Console.WriteLine($"{what}, {files.Average(f => f.Length) / 1024:F0} KiB each, to 224x224 on one core");
        Console.WriteLine($"  decode                {exactDecode,8:F3} ms exact {fastDecode,8:F3} ms fast, {exactDecode / fastDecode:F2} times");
        Console.WriteLine($"  decode and resize     {1000 / exactTime,8:F0} /s exact {1000 / fastTime,8:F0} /s fast, {exactTime / fastTime:F2} times");

        var (largest, sum, count) = (0, 0L, 0L);
        foreach (var file in files)
        {
            using var exact = Prepare(file, DecodeOptions.Default, pipeline);
            using var near = Prepare(file, fast, pipeline);
            for (var i = 0; i < exact.Pixels.Length; i++)
            {
                var difference = Math.Abs(exact.Pixels[i] - near.Pixels[i]);
                (largest, sum, count) = (Math.Max(largest, difference), sum + difference, count + 1);
            }
        }

        Console.WriteLine($"  difference            {largest} levels at most, {(double)sum / count:F2} on average");
    }

    private static double Time(byte[][] files, DecodeOptions options, Compose? pipeline)
    {
        var best = double.MaxValue;
        for (var round = 0; round < 8; round++)
        {
            var watch = Stopwatch.StartNew();
            foreach (var file in files)
            {
                Prepare(file, options, pipeline).Dispose();
            }

            best = Math.Min(best, watch.Elapsed.TotalMilliseconds / files.Length);
        }

        return best;
    }

    private static Image Prepare(byte[] file, DecodeOptions options, Compose? pipeline)
    {
        var image = ImageCodec.Decode(file, options);
        if (pipeline is null)
        {
            return image;
        }

        using (image)
        {
            return pipeline.Apply(image, new Rng(0)) is var result && ReferenceEquals(result, image) ? image.Clone() : result;
        }
    }

    private static byte[] Enlarge(byte[] file)
    {
        using var photo = ImageCodec.Decode(file);
        using var large = Resampler.Resize(photo, LargeWidth, LargeHeight, Interpolation.Bicubic);
        using var stream = new MemoryStream();
        ImageCodec.SaveJpeg(large, stream, 90);
        return stream.ToArray();
    }
}
