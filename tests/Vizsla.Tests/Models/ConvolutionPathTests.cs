using System.Text.Json.Nodes;
using TorchSharp;
using Vizsla.Datasets;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Models;
using Vizsla.Models.Layers;
using Vizsla.Models.Weights;
using Vizsla.Primitives;
using Vizsla.Testing;
using Vizsla.Transforms;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models;

/// <summary>Convolutional checkpoints below <c>vit/</c> and <c>cnn/</c> through what users call, with one thread and with two, in batches of one, eight and an odd rest: the recorded numbers, and those of float64.</summary>
[Collection(RunAlone.Name)]
[Trait("Category", "Golden")]
public sealed class ConvolutionPathTests : IDisposable
{
    private const string ThreadCount = "OMP_NUM_THREADS";
    private const int Count = 33;
    private const int Side = 224;

    // float32 against float64, as a share of the largest number.
    private const double Near = 1e-4;

    // A value that falls to the other side of ReLU's zero by rounding moves the gradient of a small network by about a hundredth.
    private const double NearGradient = 3e-2;

    private static readonly int[] _batches = [1, 8, Count];

    private readonly int _threadsBefore = get_num_threads();
    private readonly string? _variableBefore = Environment.GetEnvironmentVariable(ThreadCount);
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, int> ResNets() => OnThreads(VitGoldenTests.Checkpoints(), folder => ModelConfiguration.Load(folder).ModelType == "resnet");

    public static TheoryData<string, int> Convolutional() => OnThreads(VitGoldenTests.Checkpoints(), folder =>
    {
        using var network = Architectures.All.ContainsKey(ModelConfiguration.Load(folder).ModelType) ? Architectures.Build(ModelConfiguration.Load(folder)) : null;
        return network is not null && ModuleTree.Layers(network).OfType<BatchNormalization>().Any(n => n.Unit is not null);
    });

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(ThreadCount, _variableBefore);
        set_num_threads(_threadsBefore);
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Convolutional))]
    public void Recorded_logits_are_those_of_every_batch_folded_or_not(string checkpoint, int threads)
    {
        var folder = VitGoldenTests.Folder(checkpoint);
        UseThreads(threads);
        using var classifier = ImageClassifier.FromPretrained(folder);
        using var numbers = SafetensorsFile.Open(Path.Combine(folder, "numbers.safetensors"));
        VitGoldenTests.Arrange(classifier.Network, folder);

        RequireEveryBatch(checkpoint, classifier.Network, numbers.Read("pixel_values"), numbers.Read("logits"));
    }

    [Theory]
    [MemberData(nameof(CnnGoldenTests.Recorded), MemberType = typeof(CnnGoldenTests))]
    [Trait("Category", "Slow")]
    public void Logits_of_networks_of_timm_are_those_of_every_batch_folded_or_not(string name)
    {
        Golden.RequireSlow();
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        using var numbers = SafetensorsFile.Open(Golden.Require(name.Split('/')[0], "numbers.safetensors"));
        var (network, pixels) = CnnGoldenTests.Filled(JsonNode.Parse(File.ReadAllText(Golden.Require(name + ".json")))!);
        using var _ = network;
        foreach (var threads in new[] { 1, 2 })
        {
            UseThreads(threads);
            RequireEveryBatch($"{name}, {threads} threads", network, pixels, numbers.Read($"{name.Split('/')[1]}.logits"));
        }
    }

    [Theory]
    [MemberData(nameof(ResNets))]
    public void Predictions_evaluations_and_features_at_224_pixels_are_those_of_float64(string checkpoint, int threads)
    {
        using var scope = NewDisposeScope();
        using var classifier = Load(checkpoint, threads);
        var (files, pipeline) = (Draw(), Pipeline());
        var dataset = Dataset(pipeline, classifier.Labels);
        using var exact = Exact(classifier.Network);
        Tensor logits, features;
        using (no_grad())
        {
            features = exact.Features(Pixels(files, pipeline));
            logits = exact.Head(features);
        }

        var scores = nn.functional.softmax(logits, 1);
        var labels = arange(Count, ScalarType.Int64).remainder(tensor((long)classifier.Labels.Count));
        var loss = nn.functional.cross_entropy(logits, labels).item<double>();
        foreach (var batch in BatchesOn(threads))
        {
            foreach (var folds in batch == 8 ? new[] { true, false } : [true])
            {
                var predictor = new PicturePredictor(
                    classifier.Network, pipeline, options: new() { BatchSize = batch, TopK = classifier.Labels.Count, FoldsBatchNorm = folds });
                AssertNear($"scores, batches of {batch}", scores, Rows(predictor.Predict(files).Select(p => p.Predictions.OrderBy(c => c.Index).Select(c => c.Score))));
                AssertNear($"features, batches of {batch}", features, Rows(predictor.Embed(files).Select(f => f.Values)));
            }

            using var trainer = new Trainer(classifier, Arguments(batch), evalDataset: dataset);
            var predicted = trainer.Predict(dataset);
            AssertNear($"logits, batches of {batch}", logits, tensor(predicted.Predictions.Logits, logits.shape));
            Assert.Equal(loss, trainer.Evaluate()["eval_loss"], Near * loss);
        }
    }

    [Theory]
    [MemberData(nameof(ResNets))]
    public void Loss_and_gradient_of_a_training_at_224_pixels_are_those_of_float64(string checkpoint, int threads)
    {
        using var scope = NewDisposeScope();
        var pipeline = Pipeline();
        var pixels = Pixels(Draw(), pipeline);
        foreach (var isFrozen in new[] { true, false })
        {
            foreach (var batch in isFrozen ? [8] : BatchesOn(threads))
            {
                using var classifier = Load(checkpoint, threads);
                using var exact = Exact(classifier.Network);
                exact.train(!isFrozen);
                var labels = arange(batch, ScalarType.Int64).remainder(tensor((long)classifier.Labels.Count));
                var loss = nn.functional.cross_entropy(exact.forward(pixels.narrow(0, 0, batch)), labels);
                loss.backward();
                var head = exact.HeadParameterNames.ToHashSet();
                var norm = exact.State().Where(s => s.Value.requires_grad && (!isFrozen || head.Contains(s.Name))).Sum(s => s.Value.grad!.pow(2).sum().item<double>());

                // With a frozen backbone the features are computed once, folded, and the head trains on them.
                var arguments = Arguments(batch) with { Freeze = isFrozen ? ["backbone"] : [], FeatureCache = isFrozen };
                using var trainer = new Trainer(classifier, arguments, Dataset(pipeline, classifier.Labels, batch));
                trainer.Train();

                var row = trainer.State.LogHistory[0];
                var what = $"{(isFrozen ? "cached features" : "whole network")}, a batch of {batch}";
                AssertNear($"loss, {what}", loss.item<double>(), (double)row["loss"]!, Near);
                AssertNear($"gradient, {what}", Math.Sqrt(norm), (double)row["grad_norm"]!, NearGradient);
            }
        }
    }

    private static TheoryData<string, int> OnThreads(TheoryData<string> checkpoints, Func<string, bool> isMeant)
    {
        var names = checkpoints.Select(c => c.Data).Where(name => Directory.Exists(Path.Combine(Golden.Root, "vit", name)) && isMeant(Path.Combine(Golden.Root, "vit", name)));
        TheoryData<string, int> data = [];
        foreach (var name in names.DefaultIfEmpty("(none)"))
        {
            data.Add(name, 1);
            data.Add(name, 2);
        }

        return data;
    }

    // The others say nothing of one thread that recorded logits do not say in a second.
    private static int[] BatchesOn(int threads) => threads == 1 ? [8] : _batches;

    // As OMP_NUM_THREADS does it, so that small networks keep to the number too.
    private static void UseThreads(int threads)
    {
        Environment.SetEnvironmentVariable(ThreadCount, $"{threads}");
        set_num_threads(threads);
    }

    private static void RequireEveryBatch(string name, ClassificationNetwork network, Tensor pixels, Tensor expected)
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        foreach (var folds in new[] { false, true })
        {
            using var folding = folds ? network.FoldForPrediction() : null;
            foreach (var batch in _batches)
            {
                var places = arange(batch, ScalarType.Int64).remainder(tensor(pixels.shape[0]));
                var logits = network.forward(pixels.index_select(0, places));
                AssertNear($"{name}, {(folds ? "folded, " : "")}a batch of {batch}", expected.index_select(0, places), logits);
            }
        }
    }

    private static ImageClassifier Load(string checkpoint, int threads)
    {
        UseThreads(threads);
        return ImageClassifier.FromPretrained(VitGoldenTests.Folder(checkpoint));
    }

    private static Compose Pipeline() => new(new Resize(Side, Side), new ToDtype(Scale: true), new Normalize([0.5, 0.5, 0.5], [0.25, 0.25, 0.25]));

    private TrainingArguments Arguments(int batch) => new()
    {
        OutputDir = _folder["run"], OverwriteOutputDir = true, UseCpu = true, Bf16 = false, PerDeviceTrainBatchSize = batch, PerDeviceEvalBatchSize = batch,
        MaxSteps = 1, LoggingSteps = 1, SaveStrategy = SaveStrategy.No, ReportTo = ["none"], DataloaderNumWorkers = 1,
    };

    /// <summary>Soft noise of 56 x 56, in class folders, sorted by name.</summary>
    private List<string> Draw()
    {
        var files = new List<string>();
        for (var i = 0; i < Count; i++)
        {
            var file = _folder[$"photos/{i:00}.png"];
            if (!File.Exists(file))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                using var image = new Image(56, 56);
                var rng = Rng.ForSample(5, 0, i);
                for (var p = 0; p < image.Pixels.Length; p++)
                {
                    image.Pixels[p] = (byte)(p < 3 * 57 ? rng.NextInt32(0, 256) : (image.Pixels[p - 3 * 57] * 3 + rng.NextInt32(0, 256)) / 4);
                }

                ImageCodec.SavePng(image, file);
            }

            files.Add(file);
        }

        return files;
    }

    private ImageDataset Dataset(Compose pipeline, IReadOnlyList<string> labels, int count = Count)
    {
        var files = Draw();
        var classes = new ClassLabel([.. labels]);
        return new ImageDataset(
            new Vizsla.Datasets.Storage.MemoryTable(
                Features.ForImages(classes),
                [
                    [.. files.Take(count).Select(f => (object?)new ImageSource(f, File.ReadAllBytes(f)))],
                    [.. Enumerable.Range(0, count).Select(row => (object?)(long)(row % classes.Names.Count))],
                ]),
            split: "train").WithTransform(pipeline);
    }

    private static Tensor Pixels(IReadOnlyList<string> files, Compose pipeline) => stack([.. files.Select(file =>
    {
        using var image = ImageCodec.Load(file);
        using var values = pipeline.Run(image, new Rng(0));
        return tensor(values.Values.ToArray(), [values.Channels, values.Height, values.Width], ScalarType.Float64);
    })]);

    private static ClassificationNetwork Exact(ClassificationNetwork network)
    {
        var copy = Architectures.Build(network.Configuration);
        copy.to(ScalarType.Float64);
        copy.eval();
        using var mode = no_grad();
        foreach (var ((_, from), (_, to)) in network.State().Zip(copy.State()))
        {
            to.copy_(from);
        }

        return copy;
    }

    private static Tensor Rows(IEnumerable<IEnumerable<float>> rows) => stack([.. rows.Select(r => tensor(r.ToArray()))]);

    private static void AssertNear(string what, double expected, double actual, double near) =>
        Assert.True(Math.Abs(actual - expected) <= near * Math.Abs(expected), $"{what}: {actual}, in float64 {expected}");

    private static void AssertNear(string what, Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        var exact = expected.to(ScalarType.Float64);
        var (difference, largest) = ((actual.to(ScalarType.Float64) - exact).abs().max().item<double>(), exact.abs().max().item<double>());
        Assert.True(difference <= Near * largest, $"{what}: differs by {difference} where the largest is {largest}");
    }
}
