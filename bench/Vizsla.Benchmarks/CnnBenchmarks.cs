using System.Diagnostics;
using TorchSharp;
using Vizsla.Inference;
using Vizsla.Models;
using Vizsla.Models.Layers;
using Vizsla.Native;
using Vizsla.Training.Optimizers;
using static TorchSharp.torch;

namespace Vizsla.Benchmarks;

/// <summary>How fast convolutional networks train and predict.</summary>
internal static class CnnBenchmarks
{
    private const int Batch = 16;
    private const int Rounds = 5;
    private const int PhotoCount = 300;
    private const int SingleCount = 60;

    /// <summary>Images per second of networks on pixels that lie in memory: naive, with channels side by side, in bfloat16; and of their convolutions alone.</summary>
    /// <param name="args">Names of timm's; none takes ResNet-50 and EfficientNet-Lite0.</param>
    public static void Networks(string[] args)
    {
        TorchDefaults.Apply();
        Console.WriteLine($"libtorch with {TorchThreads.Count} threads, {CpuFeatures.Describe()}, batches of {Batch}, images/s, best of {Rounds} rounds");
        foreach (var name in args.Length > 0 ? args : ["resnet50", "tf_efficientnet_lite0"])
        {
            var known = KnownModels.Find(name) ?? throw new ArgumentException($"'{name}' is not known.");
            using var network = Architectures.Build(known.Configure());
            network.Initialize();
            using var pixels = randn(Batch, 3, known.InputSide, known.InputSide);
            foreach (var isTraining in new[] { true, false })
            {
                Compare(network, pixels, isTraining);
            }
        }
    }

    /// <summary>Files to names: in batches with the loader ahead, and one file after another.</summary>
    /// <param name="args">Model folder, folder of photos.</param>
    public static void Predict(string[] args)
    {
        TorchDefaults.Apply();
        var files = Photos.Find(args.ElementAtOrDefault(1), PhotoCount);
        using var classifier = ImageClassifier.FromPretrained(args.ElementAtOrDefault(0) ?? Path.Combine("..", "shared", "data", "weights", "tf_efficientnet_lite0"));
        var one = Best(() => Array.ForEach(files[..SingleCount], file => classifier.Predict(file)), 3) / SingleCount;
        var rates = new List<string> { $"one after another {1 / one:F1}" };
        foreach (var (what, options) in new (string, PicturePredictorOptions)[]
        {
            ("read ahead, not folded", new() { FoldsBatchNorm = false }),
            ("read ahead, folded", new()),
            ("read ahead, folded, bf16", new() { UsesBfloat16 = true }),
        })
        {
            var predictor = new PicturePredictor(classifier.Network, classifier.Processor.ToPipeline(), options: options);
            var many = Best(() => Drain(predictor.Predict(files)), 3) / files.Length;
            rates.Add($"{what} {1 / many:F1} ({one / many:F2} times)");
        }

        Console.WriteLine($"photos/s: {string.Join("; ", rates)}");
    }

    private static void Compare(ClassificationNetwork network, Tensor pixels, bool isTraining)
    {
        var what = $"{network.ClassName} {(isTraining ? "training" : "prediction")}";
        network.KeepsMemoryLayout = true;
        var naive = Batch / (isTraining ? Train(network, pixels, null) : Look(network, pixels, null, isFolded: false));
        network.KeepsMemoryLayout = false;
        Console.WriteLine($"{what,-34} naive, planes apart   {naive,7:F1}");
        foreach (var type in new ScalarType?[] { null, CpuFeatures.HasFastBfloat16 ? ScalarType.BFloat16 : null }.Distinct())
        {
            var rate = Batch / (isTraining ? Train(network, pixels, type) : Look(network, pixels, type, isFolded: true));
            var limit = Batch / Convolutions(network, pixels, type ?? ScalarType.Float32, isTraining);
            Console.WriteLine($"{what,-34} {type?.ToString() ?? "Float32",-21} {rate,7:F1}   {rate / limit,4:P0} of its convolutions alone ({limit:F1})   {rate / naive:F2} times naive");
        }
    }

    private static double Train(ClassificationNetwork network, Tensor pixels, ScalarType? type)
    {
        network.train();
        using var labels = arange(Batch, ScalarType.Int64);
        using var optimizer = OptimizerTable.Create(new TrainingArguments { OutputDir = "unused", LearningRate = 1e-6 }, ParameterGroups.Create(network, new TrainingArguments()));
        return Best(() =>
        {
            using var scope = NewDisposeScope();
            using (var lower = type is { } given ? Autocast.Open(DeviceType.CPU, given) : null)
            {
                nn.functional.cross_entropy(network.forward(pixels).to(ScalarType.Float32), labels).backward();
            }

            optimizer.Step();
            optimizer.ZeroGradients();
        });
    }

    private static double Look(ClassificationNetwork network, Tensor pixels, ScalarType? type, bool isFolded)
    {
        network.eval();
        using var folding = isFolded ? network.FoldForPrediction() : null;
        return Best(() =>
        {
            using var mode = inference_mode();
            using var lower = type is { } given ? Autocast.Open(DeviceType.CPU, given) : null;
            network.forward(pixels).Dispose();
        });
    }

    /// <summary>Seconds that the convolutions of a network take, each by itself on pixels in the fastest order: the limit of the whole.</summary>
    private static double Convolutions(ClassificationNetwork network, Tensor pixels, ScalarType type, bool isTraining)
    {
        var meter = new LayerMeter();
        var layers = ModuleTree.Layers(network).OfType<Convolution>().ToList();
        network.eval();
        using (no_grad())
        {
            layers.ForEach(l => l.Meter = meter);
            network.forward(pixels).Dispose();
            layers.ForEach(l => l.Meter = null);
        }

        // Equal ones are timed once.
        var kinds = layers.Where(l => meter.NoteOf(l) is not null).GroupBy(l => string.Join(' ', [.. meter.NoteOf(l)!.InputShape, .. l.Weight.shape, l.Options.Stride.Height, l.Options.Groups]));
        return kinds.Sum(k => k.Count() * Time(k.First(), meter.NoteOf(k.First())!.InputShape, type, isTraining, needsInput: k.First() != layers[0]));
    }

    private static double Time(Convolution layer, long[] shape, ScalarType type, bool isTraining, bool needsInput)
    {
        using var scope = NewDisposeScope();
        var input = MemoryLayout.ChannelsLast(randn(shape).to(type)).requires_grad_(isTraining && needsInput);
        var weight = layer.Weight.detach().to(type).clone().requires_grad_(isTraining);
        using var mode = isTraining ? null : inference_mode();
        return Best(() =>
        {
            using var inner = NewDisposeScope();
            var result = layer.Options.Apply(input, weight, null);
            if (isTraining)
            {
                result.backward([ones_like(result)]);
                input.grad = null;
                weight.grad = null;
            }
        });
    }

    private static void Drain(IEnumerable<PicturePrediction> answers)
    {
        foreach (var answer in answers)
        {
            _ = answer.Predictions.Count == 0 ? throw new InvalidDataException($"'{answer.File}': {answer.Error}") : answer;
        }
    }

    private static double Best(Action work, int rounds = Rounds)
    {
        work();
        var best = double.MaxValue;
        for (var i = 0; i < rounds; i++)
        {
            var start = Stopwatch.GetTimestamp();
            work();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }
}
