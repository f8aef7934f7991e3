using System.Diagnostics;
using Vizsla.Imaging;



namespace Vizsla.Benchmarks;

/// <summary>From files to batches: what each stage costs.</summary>
internal static class PictureBenchmarks
{
    private const int Rounds = 7;

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

    /// <summary>The whole way to batches of 32.</summary>
    /// <param name="args">A folder of photos, or nothing.</param>
    public static void Pipeline(string[] args)
    {
        Console.WriteLine(args.Length);
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
        round();
        var best = double.MaxValue;
        for (var i = 0; i < Rounds; i++)
        {
            var watch = Stopwatch.StartNew();
            round();
            best = Math.Min(best, watch.Elapsed.TotalMilliseconds / count);
        }

        Console.WriteLine($"  {what,-28} {best,8:F3} ms {1000 / best,8:F0} photos/s");
        return best;
    }
}
