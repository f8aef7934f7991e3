using System.Text.Json.Nodes;

namespace Vizsla.Studio.Runs;

/// <summary>A run as it stood when it was last looked at.</summary>
public sealed record RunSnapshot
{
    /// <summary>Path below the folder of runs, with '/'; the folder's own name when it is itself a run.</summary>
    public required string Name { get; init; }

    /// <summary>Full path on this computer; never shown.</summary>
    public required string Folder { get; init; }

    /// <summary>How it stands.</summary>
    public required RunState State { get; init; }

    /// <summary>Why it stopped or failed, if something says.</summary>
    public string? Reason { get; init; }

    /// <summary>Optimizer steps done.</summary>
    public int Step { get; init; }

    /// <summary>Optimizer steps of the whole run; 0 when nothing says.</summary>
    public int StepCount { get; init; }

    /// <summary>Epochs done, with the fraction of the one that runs.</summary>
    public double Epoch { get; init; }

    /// <summary>The metric by which the best checkpoint is chosen, such as <c>eval_accuracy</c>.</summary>
    public string? BestName { get; init; }

    /// <summary>Its best value.</summary>
    public double? BestValue { get; init; }

    /// <summary>The step that gave it.</summary>
    public int? BestStep { get; init; }

    /// <summary>How long it has been going, or took.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>When something was last written.</summary>
    public DateTimeOffset Updated { get; init; }

    /// <summary>Training losses, rates and evaluations.</summary>
    public IReadOnlyList<LogRow> Rows { get; init; } = [];

    /// <summary>What became of the pushes to a Hub, in their order.</summary>
    public IReadOnlyList<RunPush> Pushes { get; init; } = [];

    /// <summary>What was asked for, by Hugging Face's names; empty when nothing says.</summary>
    public IReadOnlyDictionary<string, string> Arguments { get; init; } = new Dictionary<string, string>();

    /// <summary>The numbers at the end: <c>all_results.json</c>.</summary>
    public JsonObject Results { get; init; } = [];

    /// <summary>Whether the folder holds a model that can be asked.</summary>
    public bool HasModel { get; init; }

    /// <summary>From 0 to 1; null when the number of steps is not known.</summary>
    public double? Progress => StepCount > 0 ? Math.Min(1, (double)Step / StepCount) : null;
}
