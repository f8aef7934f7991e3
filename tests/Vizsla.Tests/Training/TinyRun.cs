using System.Text.Json.Nodes;
using Vizsla.Adapters;
using Vizsla.Datasets;
using Vizsla.Datasets.Storage;
using Vizsla.Hub;
using Vizsla.Imaging;
using Vizsla.Models;
using Vizsla.Primitives;
using Vizsla.Training.Callbacks;
using Vizsla.Transforms;

namespace Vizsla.Tests.Training;

/// <summary>A run of a few seconds on pictures that it draws itself: stripes whose direction is their class.</summary>
internal sealed class TinyRun : IDisposable
{
    private const int Side = 16;
    private static readonly string[] Classes = ["falling", "level", "rising"];

    public TinyRun(double dropout = 0.1)
    {
        Root = Directory.CreateTempSubdirectory("vizsla").FullName;
        Dropout = dropout;
    }

    public string Root { get; }

    public double Dropout { get; }

    /// <summary>Where runs are pushed to that ask for it.</summary>
    public HubClient? Hub { get; init; }

    public string Output(string name = "run") => Path.Combine(Root, name);

    /// <summary>Makes the adapter that trains in the place of the model's weights; null trains those.</summary>
    public Func<AdapterConfig>? Adapter { get; init; }

    /// <summary>Arguments with an evaluation every 4 steps, a row every 3, a checkpoint every 5.</summary>
    public TrainingArguments Arguments(string name = "run") => new()
    {
        OutputDir = Output(name),
        UseCpu = true,
        Bf16 = false,
        EvalStrategy = IntervalStrategy.Steps,
        EvalSteps = 4,
        LoggingSteps = 3,
        SaveSteps = 5,
        LearningRate = 3e-3,
        PerDeviceTrainBatchSize = 5,
        NumTrainEpochs = 2,
        DataloaderNumWorkers = 1,
        LoadBestModelAtEnd = true,
        MetricForBestModel = "accuracy",
        WeightDecay = 0.01,
    };

    /// <summary>The model, drawn anew from the same seed each time.</summary>
    public ImageClassifier Model()
    {
        var configuration = Architectures.Variant("vit-nano", Side);
        foreach (var (key, value) in new Dictionary<string, JsonNode>
        {
            ["hidden_size"] = 24, ["num_hidden_layers"] = 2, ["num_attention_heads"] = 2, ["intermediate_size"] = 48, ["patch_size"] = 4,
            ["hidden_dropout_prob"] = Dropout, ["attention_probs_dropout_prob"] = Dropout,
        })
        {
            configuration.Set(key, value);
        }

        configuration.SetLabels(Classes);
        return ImageClassifier.FromConfig(configuration, seed: 1);
    }

    public static ImageDataset Train(int count = 42) => Draw(count, seed: 1, "train").WithTransform(new Compose(
        new RandomHorizontalFlip(0.2), new RandomCrop(Side, Padding: 2), new ColorJitter(Brightness: 0.3),
        new ToDtype(Scale: true), new Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])));

    public static ImageDataset Eval(int count = 24) => Draw(count, seed: 2, "validation").WithTransform(
        new Compose(new ToDtype(Scale: true), new Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])));

    /// <summary>Trains, stopped after a step where one is given.</summary>
    /// <returns>Whether it came to its end.</returns>
    public bool Train(TrainingArguments arguments, int? stopAfter = null, params IEnumerable<TrainerCallback> callbacks) =>
        Train(arguments, stop => [new StopAfter(stopAfter, stop), .. callbacks]);

    /// <summary>Trains with callbacks that may stop the run.</summary>
    /// <returns>Whether it came to its end.</returns>
    public bool Train(TrainingArguments arguments, Func<CancellationTokenSource, IEnumerable<TrainerCallback>> callbacks)
    {
        // OpenMP keeps a count for each thread that has computed before, and an asynchronous test goes on on another one: sums of two threads have other last bits.
        TorchSharp.torch.set_num_threads(1);
        using var stop = new CancellationTokenSource();
        using var model = Model();
        using var trainer = new Trainer(model, arguments, Train(), Eval(), new TrainerOptions { Callbacks = callbacks(stop), Hub = Hub }, Adapter?.Invoke());
        try
        {
            trainer.Train(stop.Token);
            return true;
        }
        catch (TrainingStoppedException)
        {
            return false;
        }
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static ImageDataset Draw(int count, ulong seed, string split) => new(
        new MemoryTable(
            Features.ForImages(new ClassLabel(Classes)),
            [
                [.. Enumerable.Range(0, count).Select(row => (object?)new ImageSource($"{split}-{row}.png", Stripes(row % Classes.Length, Rng.ForSample(seed, 0, row))))],
                [.. Enumerable.Range(0, count).Select(row => (object?)(long)(row % Classes.Length))],
            ]),
        split: split);

    private static byte[] Stripes(int kind, Rng rng)
    {
        using var image = new Image(Side, Side);
        var phase = rng.NextInt32(0, 6);
        for (var y = 0; y < Side; y++)
        {
            for (var x = 0; x < Side; x++)
            {
                var place = kind switch { 0 => x + y, 1 => y, _ => y - x + Side } + phase;
                var level = (byte)((place % 6 < 3 ? 60 : 180) + rng.NextInt32(0, 60));
                image.Row(y).Slice(3 * x, 3).Fill(level);
            }
        }

        using var stream = new MemoryStream();
        ImageCodec.SavePng(image, stream);
        return stream.ToArray();
    }

    private sealed class StopAfter(int? step, CancellationTokenSource stop) : TrainerCallback
    {
        public override void OnStepEnd(TrainerContext context)
        {
            if (context.State.GlobalStep == step)
            {
                stop.Cancel();
            }
        }
    }
}
