using Microsoft.Extensions.Logging;
using Vizsla.Datasets;
using Vizsla.Primitives;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Optimizers;
using Vizsla.Training.Schedules;
using Vizsla.Models.Layers;

namespace Vizsla.Training;

/// <summary>What must fit together before the first step.</summary>
internal static partial class TrainerChecks
{
    private const string EvaluateAnother = "evaluate a model that was trained on these classes";

    /// <summary>Refuses arguments that the caller's own loss, optimizer or schedule takes the place of.</summary>
    /// <exception cref="ArgumentsException">An argument would have no effect; names every problem.</exception>
    public static void RequireOptions(TrainingArguments arguments, TrainerOptions options)
    {
        var problems = new List<string>();
        if (options.ComputeLoss is not null && arguments.LabelSmoothingFactor > 0)
        {
            problems.Add("label_smoothing_factor has no effect on a custom loss (ComputeLoss): leave one of them out.");
        }

        if (options.ComputeLoss is not null && arguments.ClassWeights is not null)
        {
            problems.Add("class_weights has no effect on a custom loss (ComputeLoss): leave one of them out.");
        }

        if (arguments.SavePythonState && (options.Optimizer is not null || options.Schedule is not null))
        {
            problems.Add("save_python_state writes the optimizers and schedules that Python has, not custom ones (Optimizer, Schedule): leave one of them out.");
        }

        if (problems.Count > 0)
        {
            throw new ArgumentsException(problems);
        }
    }

    /// <summary>Refuses a training that would fail later or mean something else than was asked.</summary>
    /// <returns>The training split.</returns>
    /// <exception cref="ArgumentsException">It cannot be; names every problem.</exception>
    public static ImageDataset RequireTrainable(TrainingArguments arguments, ImageClassifier model, ImageDataset? train, ImageDataset? evaluation, BestModel best)
    {
        var problems = new List<string>();
        if (train is null || train.Count == 0)
        {
            problems.Add("There is nothing to train on: pass a training split with pictures.");
        }

        if (arguments.EvalStrategy != IntervalStrategy.No && (evaluation is null || evaluation.Count == 0))
        {
            problems.Add($"eval_strategy is {SnakeCase.Of(arguments.EvalStrategy)}, but there is no split to evaluate on: pass one, or set eval_strategy to no.");
        }

        if (arguments.EvalStrategy != IntervalStrategy.No && evaluation is not null && best.Key is { } key && LabelsOf(evaluation) is null)
        {
            problems.Add($"Pictures to evaluate on have no label, so '{key}' cannot say which evaluation is best: pass a split with labels.");
        }

        if (arguments.PatchDropRate > 0 && !model.Network.CanDropPatches)
        {
            problems.Add($"patch_drop_rate is {PythonJson.Repr(arguments.PatchDropRate)}, but {model.Network.ClassName} cannot leave patches out; ViT, DeiT, DINOv2 and timm's Vision Transformers can. Leave it out.");
        }

        if (arguments.SyncBatchNorm && !ModuleTree.Layers(model.Network).OfType<BatchNormalization>().Any())
        {
            problems.Add($"sync_batch_norm has no effect on {model.Network.ClassName}, which has no batch norms: leave it out.");
        }

        problems.AddRange(new[] { train, evaluation }.OfType<ImageDataset>().Select(d => LabelProblem(model.Labels, d, "load the model with the dataset's labels and ignore_mismatched_sizes", "load the model with the dataset's labels")).OfType<string>());
        if (arguments.FastDecode)
        {
            problems.AddRange(new[] { train, evaluation }.Select(d => d?.Transform?.FastDecodeProblem).OfType<string>().Distinct());
        }

        return problems.Count == 0 ? train! : throw new ArgumentsException(problems);
    }

    /// <summary>Makes sure that a split's classes are the model's before it is evaluated: libtorch would stop at the first class that the head lacks, or count wrong ones.</summary>
    /// <exception cref="ArgumentsException">They are not.</exception>
    public static void RequireSameClasses(ImageClassifier model, ImageDataset dataset) => RequireSameClasses(model.Labels, model.Configuration.HasLabelNames, dataset);

    /// <summary>The same of a model whose labels are known alone.</summary>
    /// <param name="labels">Names of the model's classes.</param>
    /// <param name="areNames">Whether they are more than numbers.</param>
    /// <param name="dataset">The split.</param>
    /// <exception cref="ArgumentsException">They are not.</exception>
    public static void RequireSameClasses(IReadOnlyList<string> labels, bool areNames, ImageDataset dataset)
    {
        // A model whose labels are mere numbers can still be asked of as many classes.
        var isComparable = areNames || dataset.ClassNames.Count != labels.Count;
        if (isComparable && LabelProblem(labels, dataset, EvaluateAnother, EvaluateAnother) is { } problem)
        {
            throw new ArgumentsException([problem]);
        }
    }

    /// <summary>The class weights as numbers; null where all classes weigh alike.</summary>
    /// <exception cref="ArgumentException">They do not fit the classes, or are to be balanced without a training split.</exception>
    public static IReadOnlyList<double>? ClassWeights(TrainingArguments arguments, IReadOnlyList<string> labels, ImageDataset? train)
    {
        if (arguments.ClassWeights is not { } weights)
        {
            return null;
        }

        var counts = new long[labels.Count];
        for (var row = 0; row < (train?.Count ?? 0); row++)
        {
            counts[train!.Label(row)]++;
        }

        return weights.Resolve(labels, counts);
    }

    /// <summary>Warns of classes that the evaluation split has and the training split has not: nothing can learn them.</summary>
    public static void WarnOfMissingClasses(IReadOnlyList<string> labels, ImageDataset train, ImageDataset? evaluation, ILogger logger)
    {
        if (evaluation is not null && LabelsOf(evaluation) is { } seen && LabelsOf(train) is { } trained && seen.Except(trained).Order().ToList() is { Count: > 0 } missing)
        {
            Untrained(logger, string.Join(", ", missing.Select(label => $"'{labels[label]}'")));
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The training split has no picture of {Classes}, which the evaluation split has: the model cannot learn what it never sees.")]
    private static partial void Untrained(ILogger logger, string classes);

    // Null where a picture has none.
    private static HashSet<int>? LabelsOf(ImageDataset dataset)
    {
        try
        {
            return [.. Enumerable.Range(0, dataset.Count).Select(dataset.Label)];
        }
        catch (DatasetException)
        {
            return null;
        }
    }

    private static string? LabelProblem(IReadOnlyList<string> labels, ImageDataset dataset, string cureOfCount, string cureOfNames)
    {
        var names = dataset.ClassNames;
        if (names.Count == 0 || names.SequenceEqual(labels))
        {
            return null;
        }

        var split = dataset.Split is { } s ? $"the split '{s}'" : "the dataset";
        if (names.Count != labels.Count)
        {
            return $"The model has {labels.Count} labels and {split} has {names.Count} classes: {cureOfCount}.";
        }

        var first = Enumerable.Range(0, names.Count).First(i => names[i] != labels[i]);
        return $"The labels of the model are not the classes of {split}: number {first} is '{labels[first]}' and '{names[first]}'. {char.ToUpperInvariant(cureOfNames[0])}{cureOfNames[1..]}.";
    }
}
