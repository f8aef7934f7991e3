using System.Diagnostics;
using System.Globalization;
using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Benchmarks;

/// <summary>Memory of datasets of many small pictures in Parquet: writing, first reading, reading again out of order, each in a process of its own.</summary>
internal static class RowBenchmarks
{
    private const int DistinctPictures = 1000;
    private const int ManyShards = 8;
    private static readonly string[] s_classes = ["cat", "dog"];

    /// <summary>Largest memory and time of each step, for one shard and for several.</summary>
    /// <param name="args">Edge of the pictures in pixels, then numbers of rows; a role, a folder, an edge, rows and shards in the processes that it starts.</param>
    public static void Measure(string[] args)
    {
        if (args is [var role, var folder, var edge, var rows, var shards])
        {
            Run(role, folder, Number(edge), Number(rows), Number(shards));
            return;
        }

        var side = args.Length > 0 ? Number(args[0]) : 9;
        int[] counts = args.Length > 1 ? [.. args[1..].Select(Number)] : [10_000, 100_000, 400_000];
        Console.WriteLine($"pictures of {side}x{side}; largest memory of a process that does one thing");
        foreach (var count in counts)
        {
            foreach (var shardCount in new[] { 1, ManyShards })
            {
                var work = Directory.CreateTempSubdirectory("vizsla-benchmark-rows-").FullName;
                try
                {
                    foreach (var step in new[] { "write", "read", "again" })
                    {
                        Start(step, work, $"{side}", $"{count}", $"{shardCount}");
                    }
                }
                finally
                {
                    Directory.Delete(work, recursive: true);
                }
            }
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static void Start(params string[] told)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(RowBenchmarks).Assembly.Location, "rows", .. told]);
        start.Environment["HF_DATASETS_CACHE"] = Path.Combine(told[1], "cache");
        using var process = Process.Start(start)!;
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"The step '{told[0]}' ended with code {process.ExitCode}.");
        }
    }

    private static void Run(string role, string folder, int edge, int count, int shards)
    {
        string[] files = [.. Enumerable.Range(0, shards).Select(i => Path.Combine(folder, $"{i:D2}.parquet"))];
        var bytes = 0L;
        var watch = Stopwatch.StartNew();
        switch (role)
        {
            case "write":
                var rows = Pictures(edge).Select(Enumerable.Range(0, count).Select(i => i % DistinctPictures));
                for (var i = 0; i < shards; i++)
                {
                    rows.Shard(shards, i).ToParquet(files[i]);
                    bytes += new FileInfo(files[i]).Length;
                }

                break;
            case "read":
                bytes = Read(ImageDataset.LoadParquet(files));
                break;
            default:
                bytes = Read(ImageDataset.LoadParquet(files).Shuffle(42));
                break;
        }

        using var process = Process.GetCurrentProcess();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {count,8} rows in {shards} files: {role,-6} {bytes / 1e6,5:F0} MB, largest memory {process.PeakWorkingSet64 / 1048576.0,4:F0} MiB, {watch.Elapsed.TotalSeconds:F1} s"));
    }

    private static long Read(ImageDataset rows)
    {
        var bytes = 0L;
        for (var i = 0; i < rows.Count; i++)
        {
            bytes += rows[i].ReadBytes().Length;
        }

        return bytes;
    }

    // Noise, which no encoder makes smaller.
    private static ImageDataset Pictures(int edge) => ImageDatasetBuilder.From(Enumerable.Range(0, DistinctPictures))
        .WithImage(i =>
        {
            var rng = new Rng((ulong)i);
            using var picture = new Image(edge, edge);
            foreach (ref var value in picture.Pixels)
            {
                value = (byte)rng.NextUInt32();
            }

            using var file = new MemoryStream();
            ImageCodec.SavePng(picture, file);
            return file.ToArray();
        })
        .WithLabel(i => s_classes[i % s_classes.Length])
        .Build("train");
}
