using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Primitives;
using Vizsla.Training.Arguments;

namespace Vizsla.Training.Callbacks;

/// <summary>Where a run stands: what <c>trainer_state.json</c> holds.</summary>
/// <remarks>Source: transformers <c>TrainerState</c>. Parity: the same keys, types and layout; Python opens the file.</remarks>
public sealed class TrainerState
{
    /// <summary>The file's name in the run folder and in each checkpoint.</summary>
    public const string FileName = "trainer_state.json";

    /// <summary>Step of the best evaluation; null before the first.</summary>
    public int? BestGlobalStep { get; set; }

    /// <summary>The best value of the metric; null before the first evaluation.</summary>
    public double? BestMetric { get; set; }

    /// <summary>Checkpoint of the best evaluation, as a path built from the output folder; null while there is none.</summary>
    public string? BestModelCheckpoint { get; set; }

    /// <summary>Epochs done, with the fraction of the one that runs.</summary>
    public double Epoch { get; set; }

    /// <summary>Steps between evaluations, a whole number.</summary>
    public double EvalSteps { get; set; } = 500;

    /// <summary>Optimizer steps done.</summary>
    public int GlobalStep { get; set; }

    /// <summary>The rows: training losses, evaluations, and the last one of the whole run.</summary>
    public IList<JsonObject> LogHistory { get; init; } = [];

    /// <summary>Steps between rows, a whole number.</summary>
    public double LoggingSteps { get; set; } = 500;

    /// <summary>Optimizer steps of the whole run.</summary>
    public int MaxSteps { get; set; }

    /// <summary>Epochs of the whole run, the last one perhaps not whole.</summary>
    public int NumTrainEpochs { get; set; }

    /// <summary>Steps between checkpoints, a whole number.</summary>
    public double SaveSteps { get; set; } = 500;

    /// <summary>What callbacks remember, by their name: <c>args</c> and <c>attributes</c> of each.</summary>
    public JsonObject StatefulCallbacks { get; set; } = [];

    /// <summary>Floating point operations of all forward and backward passes so far.</summary>
    public double TotalFlos { get; set; }

    /// <summary>Pictures per forward pass in training.</summary>
    public int TrainBatchSize { get; set; }

    /// <summary>The state as JSON, with every key that Python expects.</summary>
    public JsonObject ToJson() => new()
    {
        ["best_global_step"] = BestGlobalStep,
        ["best_metric"] = BestMetric,
        ["best_model_checkpoint"] = BestModelCheckpoint,
        ["epoch"] = Epoch,
        ["eval_steps"] = Steps(EvalSteps),
        ["global_step"] = GlobalStep,
        ["is_hyper_param_search"] = false,
        ["is_local_process_zero"] = true,
        ["is_world_process_zero"] = true,
        ["log_history"] = new JsonArray([.. LogHistory.Select(row => row.DeepClone())]),
        ["logging_steps"] = Steps(LoggingSteps),
        ["max_steps"] = MaxSteps,
        ["num_input_tokens_seen"] = 0,
        ["num_train_epochs"] = NumTrainEpochs,
        ["save_steps"] = Steps(SaveSteps),
        ["stateful_callbacks"] = StatefulCallbacks.DeepClone(),
        ["total_flos"] = TotalFlos,
        ["train_batch_size"] = TrainBatchSize,
        ["trial_name"] = null,
        ["trial_params"] = null,
    };

    /// <summary>Notes how long the run is and when something is due.</summary>
    internal void Take(TrainingPlan plan)
    {
        (MaxSteps, NumTrainEpochs, TrainBatchSize) = (plan.MaxSteps, plan.EpochCount, plan.BatchSize);
        (LoggingSteps, EvalSteps, SaveSteps) = (plan.LoggingSteps, plan.EvalSteps, plan.SaveSteps);
    }

    /// <summary>Takes over what another state says of the run so far.</summary>
    internal void CopyFrom(TrainerState other)
    {
        (BestGlobalStep, BestMetric, BestModelCheckpoint) = (other.BestGlobalStep, other.BestMetric, other.BestModelCheckpoint);
        (Epoch, GlobalStep, TotalFlos) = (other.Epoch, other.GlobalStep, other.TotalFlos);
        StatefulCallbacks = other.StatefulCallbacks;
        LogHistory.Clear();
        foreach (var row in other.LogHistory)
        {
            LogHistory.Add((JsonObject)row.DeepClone());
        }
    }

    /// <summary>The text of the file.</summary>
    public string ToFileText() => PythonJson.Serialize(ToJson()) + "\n";

    /// <summary>Reads the file of this or of Python's Trainer; unknown keys are passed over, missing ones take their default.</summary>
    /// <param name="path">Path of a <c>trainer_state.json</c>.</param>
    /// <exception cref="TrainingException">The file is absent, cut short, or not a state.</exception>
    public static TrainerState Load(string path)
    {
        try
        {
            return FromJson((JsonObject)PythonJson.Parse(File.ReadAllText(path))!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidCastException or InvalidOperationException or FormatException or NullReferenceException)
        {
            throw new TrainingException($"The trainer state '{path}' cannot be read: {e.Message} Resume from another checkpoint, or start anew.", e);
        }
    }

    private static TrainerState FromJson(JsonObject json) => new()
    {
        BestGlobalStep = json.Whole("best_global_step"),
        BestMetric = json.Number("best_metric"),
        BestModelCheckpoint = json["best_model_checkpoint"]?.GetValue<string>(),
        Epoch = json.Number("epoch") ?? 0,
        EvalSteps = json.Number("eval_steps") ?? 500,
        GlobalStep = json.Whole("global_step") ?? 0,
        LogHistory = [.. json["log_history"]?.AsArray().Select(row => (JsonObject)row!.DeepClone()) ?? []],
        LoggingSteps = json.Number("logging_steps") ?? 500,
        MaxSteps = json.Whole("max_steps") ?? 0,
        NumTrainEpochs = json.Whole("num_train_epochs") ?? 0,
        SaveSteps = json.Number("save_steps") ?? 500,
        StatefulCallbacks = (JsonObject?)json["stateful_callbacks"]?.DeepClone() ?? [],
        TotalFlos = json.Number("total_flos") ?? 0,
        TrainBatchSize = json.Whole("train_batch_size") ?? 0,
    };

    /// <summary>Steps are integers in the file unless they are shares.</summary>
    private static JsonValue Steps(double value) =>
        value == Math.Floor(value) ? JsonValue.Create((long)value) : JsonValue.Create(value);
}
