using System.Collections.Concurrent;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Studio.Datasets;
using Vizsla.Studio.Predictions;
using Vizsla.Studio.Runs;

namespace Vizsla.Studio.Evaluation;

/// <summary>Evaluates a run's model on its evaluation split in the background, and keeps the result.</summary>
internal sealed class RunEvaluator(DatasetLibrary datasets)
{
    private const int BatchSize = 16;
    private const int TopCount = 5;
    private static readonly string[] Splits = ["test", "validation", "train"];

    private readonly ConcurrentDictionary<string, EvaluationTask> _tasks = new(StringComparer.Ordinal);

    /// <summary>How far the evaluation of a run is; null when it was not started for the weights that are there.</summary>
    public EvaluationTask? Look(RunSnapshot run) => _tasks.GetValueOrDefault(KeyOf(run));

    /// <summary>Starts the evaluation of a run unless it is going on or done.</summary>
    public EvaluationTask Start(RunSnapshot run) =>
        _tasks.GetOrAdd(KeyOf(run), _ =>
        {
            var task = new EvaluationTask();
            new Thread(() => task.Complete(() => Evaluate(run, task.Report))) { IsBackground = true, Name = "vizsla evaluation" }.Start();
            return task;
        });

    /// <summary>Evaluates at once, on this thread.</summary>
    /// <param name="run">A run with a model.</param>
    /// <param name="report">Told pictures done and pictures in all; may be null.</param>
    /// <exception cref="DirectoryNotFoundException">The run's dataset is not found.</exception>
    public RunEvaluation Evaluate(RunSnapshot run, Action<int, int>? report = null)
    {
        var dataset = datasets.OfRun(run) ?? throw new DirectoryNotFoundException("Start with --dataset FOLDER, the dataset that the run was trained on, to see what its model says about it.");
        var split = Splits.FirstOrDefault(dataset.ContainsKey) ?? dataset.Keys.First();
        var rows = dataset[split];
        using var model = ClassifierModel.Open(run.Folder);
        var classOf = ClassesByName(rows.ClassNames, model.Labels);
        var outcomes = new List<PictureOutcome>(rows.Count);
        var unreadable = 0;
        foreach (var chunk in Enumerable.Range(0, rows.Count).Chunk(BatchSize))
        {
            var tensors = new List<(int Row, ImageTensor Tensor)>();
            foreach (var row in chunk)
            {
                if (TryPrepare(rows, row, model) is { } tensor)
                {
                    tensors.Add((row, tensor));
                }
                else
                {
                    unreadable++;
                }
            }

            var logits = tensors.Count > 0 ? model.ComputeLogits([.. tensors.Select(t => t.Tensor)]) : [];
            outcomes.AddRange(tensors.Select((t, i) => OutcomeOf(t.Row, classOf[rows.Label(t.Row)], logits[i])).OfType<PictureOutcome>());
            tensors.ForEach(t => t.Tensor.Dispose());
            report?.Invoke(chunk[^1] + 1, rows.Count);
        }

        return new RunEvaluation(split, model.Labels, outcomes, unreadable);
    }

    private static ImageTensor? TryPrepare(ImageDataset rows, int row, ClassifierModel model)
    {
        try
        {
            using var image = rows.LoadImage(row);
            return model.Prepare(image);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return null;
        }
    }

    private static PictureOutcome? OutcomeOf(int row, int? label, float[] logits)
    {
        if (label is not { } truth)
        {
            return null;
        }

        var scores = Scores.Apply(ScoreFunction.Softmax, logits);
        var best = Array.IndexOf(scores, scores.Max());
        return new(row, truth, best, scores[best], -Math.Log(Math.Max(scores[truth], float.Epsilon)))
        {
            Top = [.. scores.Select((score, label) => (label, (double)score)).OrderByDescending(s => s.Item2).Take(TopCount)],
        };
    }

    // The dataset's classes by their place in the model; a class that the model does not know has none.
    private static int?[] ClassesByName(IReadOnlyList<string> names, IReadOnlyList<string> labels) =>
        [.. names.Select(name => labels.Select((l, i) => (l, i)).Where(p => p.l == name).Select(p => (int?)p.i).FirstOrDefault())];

    private static string KeyOf(RunSnapshot run)
    {
        var weights = Directory.EnumerateFiles(run.Folder, "model*.safetensors").Order(StringComparer.Ordinal).FirstOrDefault();
        return $"{run.Folder}|{(weights is null ? 0 : File.GetLastWriteTimeUtc(weights).Ticks)}";
    }
}

/// <summary>An evaluation that is running, done, or failed.</summary>
internal sealed class EvaluationTask
{
    private volatile int _done;
    private volatile int _count;
    private volatile RunEvaluation? _result;
    private volatile string? _problem;

    /// <summary>The result once there is one.</summary>
    public RunEvaluation? Result => _result;

    /// <summary>Why there is none.</summary>
    public string? Problem => _problem;

    /// <summary>Pictures done and pictures in all.</summary>
    public (int Done, int Count) Progress => (_done, _count);

    /// <summary>What a page shows of it: it is drawn anew when this changes.</summary>
    public (int Done, bool Ended) Look => (_done, _result is not null || _problem is not null);

    /// <summary>Tells how far it is.</summary>
    public void Report(int done, int count) => (_done, _count) = (done, count);

    /// <summary>Does the work and keeps its result or its failure.</summary>
    public void Complete(Func<RunEvaluation> work)
    {
        try
        {
            _result = work();
        }
        catch (Exception e)
        {
            // The edge between a background thread and the page that shows what became of it.
            _problem = e is DirectoryNotFoundException or Models.ModelLoadException ? e.Message : "The evaluation failed.";
        }
    }
}
