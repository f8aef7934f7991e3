using Vizsla.Adapters;
using Vizsla.Native;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Metrics;

namespace Vizsla.Runs.Cards;

/// <summary>What a model card is filled from.</summary>
internal sealed record CardFacts
{
    /// <summary>Name of the model.</summary>
    public required string Name { get; init; }

    /// <summary>Repository that the run is pushed to, with its owner; null where it is not pushed, or not known yet.</summary>
    public string? Repository { get; init; }

    /// <summary>Hub name of the model that was fine-tuned; null for one trained from scratch or from a folder.</summary>
    public string? BaseModel { get; init; }

    /// <summary>The configuration of the adapter that trained; null where the weights did.</summary>
    public AdapterConfig? Adapter { get; init; }

    /// <summary>Name of the folder or file whose weights were fine-tuned; null for a model trained from scratch.</summary>
    public string? BaseFolder { get; init; }

    /// <summary>Metrics of predictions after the training, under their names with a prefix; empty without any.</summary>
    public IReadOnlyDictionary<string, double> TestMetrics { get; init; } = new Dictionary<string, double>();

    /// <summary>Python's class of the network, such as <c>ViTForImageClassification</c>.</summary>
    public required string ClassName { get; init; }

    /// <summary>Number of parameters.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Height and width of the pictures in pixels; null where they vary.</summary>
    public (int Height, int Width)? ImageSize { get; init; }

    /// <summary>Names of the classes.</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>What was asked.</summary>
    public required TrainingArguments Arguments { get; init; }

    /// <summary>Log rows and the best evaluation.</summary>
    public required TrainerState State { get; init; }

    /// <summary>The splits that were used.</summary>
    public required IReadOnlyList<CardSplit> Splits { get; init; }

    /// <summary>How training pictures were prepared; null where nothing was.</summary>
    public string? Transform { get; init; }

    /// <summary>Logits and classes of the evaluation whose weights were kept; null without one.</summary>
    public EvalPrediction? Prediction { get; init; }

    /// <summary>How convolutions were computed, see <see cref="Convolutions.Name"/>; null says nothing of it.</summary>
    public string? Convolutions { get; init; }

    /// <summary>The machine.</summary>
    public required Machine Machine { get; init; }

    /// <summary>Where it computed: <c>cpu</c> or <c>cuda:0</c>.</summary>
    public required string Device { get; init; }

    /// <summary>Precision of the forward passes.</summary>
    public required string Precision { get; init; }

    /// <summary>Whether the weights are those of the best evaluation.</summary>
    public bool HasBestWeights => Arguments.LoadBestModelAtEnd && State.BestGlobalStep is not null;
}

/// <summary>A split that a run used.</summary>
/// <param name="Role">Training or evaluation.</param>
/// <param name="Name">Name of the split; null where it has none.</param>
/// <param name="Count">Pictures.</param>
/// <param name="Fingerprint">Digits that tell its content from another's.</param>
/// <param name="ClassCounts">Pictures of each class, in the order of the classes.</param>
/// <param name="IsFolder">Whether the pictures are files of a folder.</param>
internal sealed record CardSplit(string Role, string? Name, int Count, string Fingerprint, IReadOnlyList<long> ClassCounts, bool IsFolder)
{
    /// <summary>Name of the dataset on the Hub; null for another.</summary>
    public string? HubName { get; init; }

    /// <summary>Describes a split.</summary>
    public static CardSplit Of(string role, ImageDataset dataset)
    {
        var counts = new long[dataset.ClassNames.Count];
        for (var row = 0; row < dataset.Count; row++)
        {
            if (counts.Length > 0)
            {
                counts[dataset.Label(row)]++;
            }
        }

        return new(role, dataset.Split, dataset.Count, dataset.Fingerprint, counts, dataset.Count > 0 && dataset[0] is { Path: not null, Bytes: null }) { HubName = dataset.HubName };
    }
}
