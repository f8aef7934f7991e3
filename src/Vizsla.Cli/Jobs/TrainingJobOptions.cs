using Vizsla.Cli.Commands;
using Vizsla.Datasets;

namespace Vizsla.Cli.Jobs;

/// <summary>What the <c>train</c> verb is asked to do beside the training arguments.</summary>
/// <param name="Dataset">Folder or name of the dataset, for messages.</param>
/// <param name="Model">Folder or name of the model, or the size of one that starts from random weights.</param>
/// <param name="FromScratch">Whether the weights are random.</param>
internal sealed record TrainingJobOptions(string Dataset, string Model, bool FromScratch)
{
    /// <summary>Side of the pictures in pixels for random weights; null takes the size's own.</summary>
    public int? ImageSize { get; init; }

    /// <summary>Branch, tag or commit of a dataset on the Hub; null means <c>main</c>.</summary>
    public string? DatasetRevision { get; init; }

    /// <summary>How the dataset is read.</summary>
    public DatasetLoadOptions Loading { get; init; } = new() { Rule = FolderRule.ImageFolder };

    /// <summary>Branch, tag or commit of a model on the Hub; null means <c>main</c>.</summary>
    public string? ModelRevision { get; init; }

    /// <summary>Split to train on, or a slice of one.</summary>
    public string TrainSplit { get; init; } = "train";

    /// <summary>Split to evaluate on during training, or a slice of one; null takes <c>validation</c>, else <c>test</c>.</summary>
    public string? EvalSplit { get; init; }

    /// <summary>Whether a head for other classes is replaced; null replaces it where the classes differ.</summary>
    public bool? IgnoreMismatchedSizes { get; init; }

    /// <summary>Whether pictures that cannot be read are left out instead of ending the run.</summary>
    public bool SkipBadImages { get; init; }

    /// <summary>The pipelines.</summary>
    public TransformChoice Transforms { get; init; } = TransformChoice.Default;

    /// <summary>The adapter that trains instead of the weights; null trains those.</summary>
    public AdapterChoice? Adapter { get; init; }

    /// <summary>The training arguments.</summary>
    public TrainingArguments Arguments { get; init; } = new();
}
