using System.Diagnostics;
using Vizsla.Export;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Native;
using Vizsla.Onnx;

namespace Vizsla.Benchmarks;

/// <summary>Exported files in ONNX Runtime beside the same network on libtorch.</summary>
internal static class OnnxBenchmarks
{
    private const int Calibration = 120;
    private const int ClientCount = 16;

    // What takes longer for a picture is measured on fewer.
    private const int SlowMilliseconds = 100;
    private static readonly int[] s_batches = [1, 32];

    /// <summary>
    /// Milliseconds of a picture: prepared floats to logits in batches of 1 and 32, and files to names one after another and by 16 clients at once. Each round takes every kind once, so that a busy machine is busy for all of them; the least
    /// time of the rounds counts, and ratios are to float32 on libtorch.
    /// </summary>
    /// <param name="args">Model folders, else timm names or variants with random weights; none takes EfficientNet-Lite0's weights and a ViT-Tiny that is drawn.</param>
    public static void Compare(string[] args)
    {
        TorchDefaults.Apply();
        var files = Photos.Find(null, Calibration);
        Console.WriteLine($"{CpuFeatures.Describe()}, {Environment.ProcessorCount} processors, ms a picture, least of several rounds (times as fast as float32 on libtorch)");
        foreach (var model in args.Length > 0 ? args : [Path.Combine("..", "shared", "data", "weights", "tf_efficientnet_lite0"), "vit-tiny"])
        {
            using var network = Directory.Exists(model) ? ImageClassifier.FromPretrained(model) : ImageClassifier.Create(model, [.. Enumerable.Range(0, 1000).Select(i => $"class {i}")], seed: 1);
            var folder = Directory.CreateTempSubdirectory("vizsla-onnx-").FullName;
            try
            {
                Compare(Path.GetFileName(model), network, folder, files);
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    /// <summary>The memory of a process in which 8 threads ask one classifier.</summary>
    /// <param name="args">Folder of an exported model, number of calls (20,000).</param>
    public static void Memory(string[] args)
    {
        var calls = int.Parse(args.ElementAtOrDefault(1) ?? "20000", System.Globalization.CultureInfo.InvariantCulture);
        var photos = Photos.Find(null, 50).Select(File.ReadAllBytes).ToArray();
        using var classifier = OnnxClassifier.Load(args[0]);
        var done = 0;
        using var process = Process.GetCurrentProcess();
        var clock = Stopwatch.StartNew();
        Parallel.For(0, calls, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            classifier.Predict(photos[i % photos.Length]);
            if (Interlocked.Increment(ref done) is var now && (now == 200 || now % (calls / 10) == 0))
            {
                lock (process)
                {
                    process.Refresh();
                    Console.WriteLine($"{now,6} calls, {clock.Elapsed.TotalSeconds,6:F0} s: {process.WorkingSet64 / 1e6:F0} MB, {GC.GetGCMemoryInfo().TotalCommittedBytes / 1e6:F0} of them managed");
                }
            }
        });
    }

    private static void Compare(string name, ImageClassifier network, string folder, string[] files)
    {
        var images = files[..Calibration].Select(f => ImageCodec.Load(f)).ToList();
        var single = network.ExportOnnx(folder);
        var quantized = network.ExportOnnx(folder, OnnxPrecision.Int8, images);
        using var exported = OnnxClassifier.Load(single, new() { Labels = network.Labels });
        using var int8 = OnnxClassifier.Load(quantized, new() { Labels = network.Labels });
        var pipeline = network.Processor.ToPipeline();
        var exact = new PicturePredictor(network.Network, pipeline);
        var rounded = new PicturePredictor(network.Network, pipeline, options: new() { UsesBfloat16 = true });
        var prepared = images[..s_batches.Max()].Select(image => exact.Prepare(image)).ToList();
        images.ForEach(i => i.Dispose());
        (string What, Action<IReadOnlyList<ImageTensor>> Compute, Action<string> Name)[] kinds =
        [
            ("libtorch fp32", p => exact.Logits(p), f => network.Predict(f)),
            ("libtorch bf16", p => rounded.Logits(p), f => Drain(rounded.Predict([f]))),
            ("Vizsla.Onnx fp32", p => exported.ComputeLogits(p), f => exported.Predict(f)),
            ("Vizsla.Onnx int8", p => int8.ComputeLogits(p), f => int8.Predict(f)),
        ];

        // Weights stay folded and rounded from one batch to the next, as a service keeps them.
        using var folding = network.Network.FoldForPrediction();
        exact.Logits(prepared[..1]);
        var (rounds, photos) = Milliseconds(() => exact.Logits(prepared[..1]), 1) > SlowMilliseconds ? (2, files[..ClientCount]) : (5, files[..60]);
        var best = new double[kinds.Length, s_batches.Length + 2];
        for (var round = 0; round <= rounds; round++)
        {
            for (var k = 0; k < kinds.Length; k++)
            {
                for (var b = 0; b < s_batches.Length; b++)
                {
                    var batch = prepared[..s_batches[b]];
                    var times = (photos.Length + batch.Count - 1) / batch.Count;
                    Keep(round, ref best[k, b], Milliseconds(() => kinds[k].Compute(batch), times) / (times * batch.Count));
                }

                Keep(round, ref best[k, s_batches.Length], Milliseconds(() => Array.ForEach(photos, kinds[k].Name), 1) / photos.Length);
                Keep(round, ref best[k, s_batches.Length + 1], Milliseconds(() => AskAtOnce(photos, kinds[k].Name), 1) / photos.Length);
            }
        }

        prepared.ForEach(p => p.Dispose());
        Console.WriteLine($"{name,-24} {"batch 1",18} {"batch 32",18} {"file to names",18} {"16 clients",18}");
        for (var k = 0; k < kinds.Length; k++)
        {
            Console.WriteLine($"  {kinds[k].What,-22} {string.Join(' ', Enumerable.Range(0, s_batches.Length + 2).Select(b => $"{best[k, b],10:F2} ({best[0, b] / best[k, b]:F2} x)"))}");
        }
    }

    // The first round warms up.
    private static void Keep(int round, ref double best, double measured) => best = round <= 1 ? measured : Math.Min(best, measured);

    private static double Milliseconds(Action action, int times)
    {
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < times; i++)
        {
            action();
        }

        return clock.Elapsed.TotalMilliseconds;
    }

    private static void AskAtOnce(string[] files, Action<string> name)
    {
        var next = -1;
        var clients = Enumerable.Range(0, ClientCount).Select(_ => new Thread(() =>
        {
            while (Interlocked.Increment(ref next) is var i && i < files.Length)
            {
                name(files[i]);
            }
        })).ToList();
        clients.ForEach(c => c.Start());
        clients.ForEach(c => c.Join());
    }

    private static void Drain<T>(IEnumerable<T> answers)
    {
        foreach (var _ in answers)
        {
        }
    }
}
