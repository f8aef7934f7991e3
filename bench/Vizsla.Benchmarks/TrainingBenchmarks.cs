using System.Diagnostics;
using System.Globalization;
using Vizsla.Loading;
using Vizsla.Native;
using Vizsla.Training.Callbacks;
using Vizsla.Transforms;
using static TorchSharp.torch;

namespace Vizsla.Benchmarks;

/// <summary>How fast the trainer trains, beside what the machine's matrix products allow.</summary>
internal static class TrainingBenchmarks
{
    private const int Side = 224;

    /// <summary>Steps of the trainer on photos.</summary>
    /// <param name="args">Model, batch size, steps, <c>fp32</c> or <c>bf16</c> or <c>auto</c>, <c>augmented</c> for the tutorial's transforms, <c>checkpointing</c> for blocks that run again.</param>
    public static void Train(string[] args)
    {
        var name = args.ElementAtOrDefault(0) ?? "vit-base";
        var batch = int.Parse(args.ElementAtOrDefault(1) ?? "16", CultureInfo.InvariantCulture);
        var steps = int.Parse(args.ElementAtOrDefault(2) ?? "4", CultureInfo.InvariantCulture);
        bool? bf16 = (args.ElementAtOrDefault(3) ?? "auto") switch { "bf16" => true, "fp32" => false, _ => null };
        var isAugmented = args.Contains("augmented");

        var folder = Photos.AsImageFolder(Photos.Find(null, batch * 4));
        var output = Path.Combine(Path.GetTempPath(), "vizsla-benchmark-run");
        if (Directory.Exists(output))
        {
            Directory.Delete(output, recursive: true);
        }

        var arguments = new TrainingArguments
        {
            OutputDir = output, UseCpu = true, PerDeviceTrainBatchSize = batch, MaxSteps = steps, SaveStrategy = SaveStrategy.No, LoggingSteps = 1000, Bf16 = bf16,
            ReportTo = ["none"], GradientCheckpointing = args.Contains("checkpointing"),
        };
        using var model = ImageClassifier.Create(name, ImageDataset.LoadImageFolder(folder, new() { DropLabels = false })["train"].ClassNames, seed: 1);
        var dataset = ImageDataset.LoadImageFolder(folder, new() { DropLabels = false })["train"].WithTransform(isAugmented ? PictureBenchmarks.Augmenting() : Plain());
        var clock = new StepClock();
        using var trainer = new Trainer(model, arguments, isAugmented ? dataset : dataset.Map(Plain(), new MapOptions { CacheDirectory = folder + "-map" }), options: new TrainerOptions { Callbacks = [clock] });
        trainer.Train();

        var type = bf16 ?? CpuFeatures.HasFastBfloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
        var rate = batch / Median(clock.Steps);
        Console.WriteLine($"{name} batch {batch} {type}{(isAugmented ? " augmented" : "")}{(arguments.GradientCheckpointing ? " checkpointing" : "")}: {rate:F2} images/s, median step {Median(clock.Steps):F2} s of {steps}");
        Console.WriteLine($"  forward and backward {Median(clock.Gradients) / Median(clock.Steps):P1}, optimizer {Median(clock.Updates) / Median(clock.Steps):P1}, all else {Median(clock.Rest) / Median(clock.Steps):P1}");
        Console.WriteLine($"  largest memory of the process {Process.GetCurrentProcess().PeakWorkingSet64 / (double)(1L << 30):F2} GiB");
        if (VitFlops(model) is { } flops)
        {
            var limit = Limit(model, batch, type, TimeSpan.FromSeconds(3));
            Console.WriteLine($"  matrix products of these shapes {limit:F0} GFLOP/s: at most {limit * 1e9 / flops:F2} images/s, of which {rate * flops / limit / 1e9:P0} is reached");
        }
    }

    /// <summary>Work of a training step on one picture: three times that of the forward pass, a multiplication and an addition counting two.</summary>
    /// <returns>Null for another model than a ViT.</returns>
    internal static double? VitFlops(ImageClassifier model)
    {
        if (model.Configuration.ModelType != "vit")
        {
            return null;
        }

        var (width, inner, depth, patch) = Shape(model);
        var tokens = 1 + Side / patch * (Side / patch);
        var layer = 2.0 * tokens * (4.0 * width * width + 2.0 * width * inner) + 4.0 * tokens * tokens * width;
        return 3 * (depth * layer + 2.0 * (tokens - 1) * width * 3 * patch * patch);
    }

    // Forward, gradient of the input and gradient of the weight of the layers' three products, weighed by how often each comes; each as libtorch computes it or by oneDNN, whichever is faster.
    private static double Limit(ImageClassifier model, int batch, ScalarType type, TimeSpan duration)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var (width, inner, _, patch) = Shape(model);
        var rows = batch * (1 + Side / patch * (Side / patch));
        var products = new List<(double Flops, int Count, Func<Tensor>[] Ways)>();
        foreach (var (from, to, count) in new[] { (width, width, 4), (width, inner, 1), (inner, width, 1) })
        {
            var (x, y, weight) = (randn(rows, from).to(type), randn(rows, to).to(type), randn(to, from).to(type));
            products.Add((2.0 * rows * from * to, count, [() => nn.functional.linear(x, weight), () => LinearProducts.Multiply(x, weight, null)]));
            products.Add((2.0 * rows * from * to, count, [() => y.mm(weight), () => LinearProducts.Multiply(y, weight.t(), null)]));
            products.Add((2.0 * rows * from * to, count, [() => y.t().mm(x), () => LinearProducts.Multiply(y.t(), x.t(), null)]));
        }

        var (flops, seconds) = (0.0, 0.0);
        foreach (var (work, occurrences, ways) in products)
        {
            flops += work * occurrences;
            seconds += ways.Min(way => SecondsOf(way, duration / products.Count / ways.Length)) * occurrences;
        }

        return flops / seconds / 1e9;
    }

    private static double SecondsOf(Func<Tensor> multiply, TimeSpan duration)
    {
        multiply().Dispose();
        var (count, watch) = (0, Stopwatch.StartNew());
        for (; watch.Elapsed < duration || count < 2; count++)
        {
            multiply().Dispose();
        }

        return watch.Elapsed.TotalSeconds / count;
    }

    private static (int Width, int Inner, int Depth, int Patch) Shape(ImageClassifier model) => (
        model.Configuration.WholeNumber("hidden_size", 768), model.Configuration.WholeNumber("intermediate_size", 3072),
        model.Configuration.WholeNumber("num_hidden_layers", 12), model.Configuration.WholeNumber("patch_size", 16));

    private static Compose Plain() => new(new Resize(Side, Side), new ToDtype(Scale: true), new Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]));

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(values.Count() / 2);

    private sealed class StepClock : TrainerCallback
    {
        private readonly Stopwatch _watch = Stopwatch.StartNew();
        private double _begin;
        private double _update;
        private double _end;

        public List<double> Steps { get; } = [];

        public List<double> Gradients { get; } = [];

        public List<double> Updates { get; } = [];

        public List<double> Rest { get; } = [];

        public override void OnStepBegin(TrainerContext context) => _begin = Now();

        public override void OnPreOptimizerStep(TrainerContext context) => _update = Now();

        public override void OnStepEnd(TrainerContext context)
        {
            var now = Now();
            if (context.State.GlobalStep > 1)
            {
                Gradients.Add(_update - _begin);
                Updates.Add(now - _update);
                Rest.Add(_begin - _end);
                Steps.Add(now - _end);
            }

            _end = now;
        }

        private double Now() => _watch.Elapsed.TotalSeconds;
    }
}
