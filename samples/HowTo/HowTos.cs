using Microsoft.Extensions.Logging;
using Vizsla;
using Vizsla.Datasets;
using Vizsla.Hub;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Models;
using Vizsla.Training;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Metrics;

namespace HowTo;

/// <summary>The answers of docs/library.md, each as a method.</summary>
public static class HowTos
{
    public static async Task<IReadOnlyList<string>> PredictAsync(ImageClassifier model, string file, IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        var names = new List<string>();

        // A file, bytes, a stream, a decoded picture.
        names.Add(model.Predict(file)[0].Label);
        names.Add(model.Predict(File.ReadAllBytes(file))[0].Label);
        using (var stream = File.OpenRead(file))
        {
            names.Add((await model.PredictAsync(stream, topK: 1, cancellationToken))[0].Label);
        }

        using (var photo = ImageCodec.Load(file))
        {
            names.Add(model.Predict(photo)[0].Label);
        }

        // Many files: batches inside, one answer for each in their order; one that cannot be read has an error instead of classes.
        await foreach (var answer in model.PredictAsync(files, topK: 1, cancellationToken))
        {
            names.Add(answer.Error ?? answer.Predictions[0].Label);
        }

        return names;
    }

    public static ImageDataset FromRows(IEnumerable<(int Id, byte[] Jpeg, string Breed)> rows)
    {
        var dataset = ImageDatasetBuilder.From(rows)
            .WithImage(row => row.Jpeg)
            .WithLabel(row => row.Breed)
            .With("id", row => row.Id)
            .Build();
        return dataset;
    }

    public static void Watch(ImageClassifier model, TrainingArguments arguments, DatasetDict dataset, ILogger logger, TextWriter writer)
    {
        var options = new TrainerOptions { Callbacks = [new TextProgress(writer), new StopWhenGood(accuracy: 0.95)], Logger = logger };
        using var trainer = new Trainer(model, arguments, dataset["train"], dataset["validation"], options);
        trainer.Train();
    }

    public static string Explain(Action work)
    {
        try
        {
            work();
            return "done";
        }
        catch (TrainingStoppedException e)
        {
            return $"stopped; resume from {e.Checkpoint}";
        }
        catch (Exception e) when (e is DatasetException or ModelLoadException or ArgumentsException or TrainingException or HubException or ImageFormatException)
        {
            return e.Message;          // one sentence for whoever gave the file, the model or the arguments
        }
    }
}

/// <summary>Ends a training once an evaluation is good enough.</summary>
public sealed class StopWhenGood(double accuracy) : TrainerCallback
{
    public override void OnEvaluate(TrainerContext context, IReadOnlyDictionary<string, double> metrics) =>
        context.Control.ShouldTrainingStop |= metrics["eval_accuracy"] >= accuracy;
}

/// <summary>The accuracy of the class that is recognized worst.</summary>
public sealed class WorstClass : Metric
{
    public override string Name => "worst_class";

    public override bool GreaterIsBetter => true;

    public override double Compute(EvalPrediction prediction) => Enumerable.Range(0, prediction.Count)
        .GroupBy(row => prediction.LabelIds[row]).Min(rows => rows.Average(row => prediction.Predicted(row) == rows.Key ? 1.0 : 0.0));
}
