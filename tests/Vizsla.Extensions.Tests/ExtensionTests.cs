using Vizsla.Datasets;
using Vizsla.Datasets.Splits;
using Vizsla.Models;
using Vizsla.Testing;
using Vizsla.Training;
using Vizsla.Transforms;
using static TorchSharp.torch;

namespace Vizsla.Extensions.Tests;

/// <summary>Every extension point that docs/architecture.md lists, used by a program that sees only what is public.</summary>
public sealed class ExtensionTests : IDisposable
{
    private const int Side = 32;
    private const double Rate = 0.01;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_training_takes_a_transform_a_collator_a_loss_an_optimizer_a_schedule_a_metric_and_a_callback()
    {
        var dataset = Dataset();
        using var model = ImageClassifier.Create("vit-nano", dataset["train"].ClassNames, imageSize: Side, seed: 1);
        var (collator, callback, losses) = (new Dimming(), new StopAfter(steps: 3), 0);
        using var trainer = new Trainer(model, Arguments("run") with { MetricForBestModel = "worst_class" }, dataset["train"], dataset["validation"], new TrainerOptions
        {
            DataCollator = collator,
            Metrics = [new WorstClass()],
            Callbacks = [callback],
            Optimizer = groups => new SignDescent(groups),
            Schedule = (optimizer, _) => new Halving(optimizer),
            ComputeLoss = (logits, labels, weight) =>
            {
                losses++;
                return nn.functional.cross_entropy(logits, labels, reduction: nn.Reduction.Sum) / weight;
            },
        });

        var output = trainer.Train();

        Assert.Equal(3, output.GlobalStep);
        Assert.Equal([Rate, Rate / 2, Rate / 4], callback.Rates);
        Assert.True(losses >= 3);
        Assert.True(collator.BatchCount >= 3);
        Assert.InRange(trainer.Evaluate()["eval_worst_class"], 0, 1);
    }

    [Fact]
    public void An_optimizer_moves_each_weight_by_the_rate_in_the_first_step()
    {
        var dataset = Dataset();
        using var model = ImageClassifier.Create("vit-nano", dataset["train"].ClassNames, imageSize: Side, seed: 1);
        using var before = model.Network.State().First(s => s.Name == "classifier.weight").Value.clone();
        using var trainer = new Trainer(
            model, Arguments("run") with { MaxSteps = 1, EvalStrategy = IntervalStrategy.No, MaxGradNorm = 0 }, dataset["train"], options: new TrainerOptions { Optimizer = groups => new SignDescent(groups) });

        _ = trainer.Train();

        using var moved = (model.Network.State().First(s => s.Name == "classifier.weight").Value - before).abs().max();
        Assert.Equal(Rate, moved.item<float>(), 1e-6);
    }

    [Fact]
    public void An_architecture_is_trained_saved_and_read_back()
    {
        Architectures.Register(OneLayerNetwork.Entry);
        var dataset = Dataset();
        var configuration = ModelConfiguration.Parse($$"""{"model_type": "{{OneLayerNetwork.ModelType}}", "architectures": ["OneLayerForImageClassification"]}""");
        configuration.SetLabels(dataset["train"].ClassNames);
        using var model = ImageClassifier.FromConfig(configuration, seed: 1);
        model.Processor = new ImageProcessor { Size = new(Side, Side) };
        using (var trainer = new Trainer(model, Arguments("run") with { MaxSteps = 2 }, dataset["train"], dataset["validation"]))
        {
            _ = trainer.Train();
        }

        using var read = ImageClassifier.FromPretrained(_folder["run"]);

        var photo = Directory.EnumerateFiles(_folder["photos"], "*.jpg").Order(StringComparer.Ordinal).First();
        Assert.Equal(model.Predict(photo), read.Predict(photo));
        Assert.Equal(["one_layer.stem.weight", "one_layer.stem.bias", "classifier.weight", "classifier.bias"], read.Network.State().Select(s => s.Name));

        // Its operations are torch's own, which leave no trace to write as ONNX.
        var refusal = Assert.Throws<NotSupportedException>(() => read.ExportOnnx(_folder["exported"]));
        Assert.Equal("output takes a tensor [3, 6] that no recorded operation made: networks are exported whose operations are all Vizsla's own (Models/Layers) or constants.", refusal.Message);
        Assert.False(Directory.Exists(_folder["exported"]));
    }

    [Fact]
    public void An_architecture_is_not_replaced()
    {
        var entry = OneLayerNetwork.Entry with { ModelType = "vit" };

        var e = Assert.Throws<ArgumentException>(() => Architectures.Register(entry));

        Assert.Equal("There is an architecture 'vit' already; give another model_type. (Parameter 'architecture')", e.Message);
    }

    private DatasetDict Dataset()
    {
        Photos.Write(_folder["photos"], countPerClass: 12, size: Side);
        _ = DatasetPreparation.Run(new PreparationOptions { Images = _folder["photos"], Labels = _folder["photos", "labels.csv"], Output = _folder["animals"] });
        var dataset = ImageDataset.LoadImageFolder(_folder["animals"]);
        foreach (var (_, split) in dataset)
        {
            split.SetTransform(new Compose(new Negative(0.5), new Resize(Side), new ToDtype(Scale: true)));
        }

        return dataset;
    }

    private TrainingArguments Arguments(string output) => new()
    {
        OutputDir = _folder[output],
        LearningRate = Rate,
        LrSchedulerType = SchedulerType.Constant,
        WeightDecay = 0,
        MaxSteps = 6,
        PerDeviceTrainBatchSize = 8,
        EvalStrategy = IntervalStrategy.Steps,
        EvalSteps = 2,
        SaveStrategy = SaveStrategy.No,
        Bf16 = false,
        ReportTo = [],
    };
}
