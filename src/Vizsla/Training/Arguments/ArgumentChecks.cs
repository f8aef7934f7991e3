using System.Text.RegularExpressions;
using Vizsla.Hub;
using Vizsla.Primitives;

namespace Vizsla.Training.Arguments;

/// <summary>What arguments must be, each alone and together.</summary>
/// <remarks>Source: <c>TrainingArguments.__post_init__</c> of transformers, and what it lets pass.</remarks>
internal static class ArgumentChecks
{
    private static readonly string[] LogLevels = ["debug", "info", "warning", "error", "critical", "passive"];
    private static readonly string[] Reporters = ["none", "all", "tensorboard"];

    /// <summary>Everything that is wrong, one sentence each; empty where nothing is.</summary>
    /// <param name="a">The arguments.</param>
    public static IReadOnlyList<string> Problems(TrainingArguments a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return [.. Numbers(a).Concat(Together(a)).Concat(Words(a)).OfType<string>()];
    }

    /// <summary>Refuses arguments that are invalid.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <exception cref="ArgumentsException">They are invalid; names every problem.</exception>
    public static void Require(TrainingArguments arguments)
    {
        var problems = Problems(arguments);
        if (problems.Count > 0)
        {
            throw new ArgumentsException(problems);
        }
    }

    private static IEnumerable<string?> Numbers(TrainingArguments a)
    {
        yield return Unless(a.LearningRate > 0 && double.IsFinite(a.LearningRate), "learning_rate", a.LearningRate, "above 0, for example 5e-05");
        yield return Unless(a.WeightDecay >= 0 && double.IsFinite(a.WeightDecay), "weight_decay", a.WeightDecay, "0 or more");
        yield return Unless(a.AdamBeta1 is >= 0 and < 1, "adam_beta1", a.AdamBeta1, "at least 0 and below 1");
        yield return Unless(a.AdamBeta2 is >= 0 and < 1, "adam_beta2", a.AdamBeta2, "at least 0 and below 1");
        yield return Unless(a.AdamEpsilon > 0, "adam_epsilon", a.AdamEpsilon, "above 0");
        yield return Unless(a.MaxGradNorm >= 0, "max_grad_norm", a.MaxGradNorm, "0 (no clipping) or more");
        yield return Unless(a.PerDeviceTrainBatchSize >= 1, "per_device_train_batch_size", a.PerDeviceTrainBatchSize, "at least 1");
        yield return Unless(a.PerDeviceEvalBatchSize >= 1, "per_device_eval_batch_size", a.PerDeviceEvalBatchSize, "at least 1");
        yield return Unless(a.GradientAccumulationSteps >= 1, "gradient_accumulation_steps", a.GradientAccumulationSteps, "at least 1");
        yield return Unless(a.EvalAccumulationSteps is null or >= 1, "eval_accumulation_steps", a.EvalAccumulationSteps, "at least 1");
        yield return Unless(a.MaxSteps is -1 or > 0, "max_steps", a.MaxSteps, "above 0, or -1 to go by num_train_epochs");
        yield return Unless(a.MaxSteps > 0 || a.NumTrainEpochs > 0, "num_train_epochs", a.NumTrainEpochs, "above 0");
        yield return Unless(a.WarmupRatio is >= 0 and <= 1, "warmup_ratio", a.WarmupRatio, "from 0 to 1");
        yield return Unless(a.WarmupSteps >= 0 && (a.WarmupSteps < 1 || a.WarmupSteps == Math.Floor(a.WarmupSteps)), "warmup_steps", a.WarmupSteps, "a number of steps, or a share below 1");
        yield return Unless(a.EvalDelay >= 0, "eval_delay", a.EvalDelay, "0 or more");
        yield return Unless(a.SaveTotalLimit is null or >= 1, "save_total_limit", a.SaveTotalLimit, "at least 1; leave it out to keep all");
        yield return Unless(a.DataloaderNumWorkers is null or >= 0, "dataloader_num_workers", a.DataloaderNumWorkers, "0 or more");
        yield return Unless(a.DataloaderPrefetchFactor is null or >= 1, "dataloader_prefetch_factor", a.DataloaderPrefetchFactor, "at least 1");
        yield return Unless(a.LabelSmoothingFactor is >= 0 and < 1, "label_smoothing_factor", a.LabelSmoothingFactor, "at least 0 and below 1");
        yield return Unless(a.MixupAlpha >= 0, "mixup_alpha", a.MixupAlpha, "0 (no MixUp) or more");
        yield return Unless(a.CutmixAlpha >= 0, "cutmix_alpha", a.CutmixAlpha, "0 (no CutMix) or more");
        yield return Unless(a.UnfreezeAtEpoch is null or >= 1, "unfreeze_at_epoch", a.UnfreezeAtEpoch, "at least 1");
        yield return Unless(a.UnfreezeLearningRate is null or > 0, "unfreeze_learning_rate", a.UnfreezeLearningRate, "above 0");
        yield return Unless(a.LayerDecay is > 0 and <= 1, "layer_decay", a.LayerDecay, "above 0 and at most 1");
        yield return Unless(a.EmaDecay is >= 0 and < 1, "ema_decay", a.EmaDecay, "at least 0 (none) and below 1");
        yield return Unless(a.SwaEpochs >= 0, "swa_epochs", a.SwaEpochs, "0 (none) or more");
        yield return Unless(a.DistillationAlpha is >= 0 and <= 1, "distillation_alpha", a.DistillationAlpha, "from 0 (the labels alone) to 1 (the teacher alone)");
        yield return Unless(a.Temperature > 0 && double.IsFinite(a.Temperature), "temperature", a.Temperature, "above 0, for example 5");
        yield return Unless(a.EarlyStoppingPatience is null or >= 1, "early_stopping_patience", a.EarlyStoppingPatience, "at least 1");
        yield return Unless(a.EarlyStoppingThreshold >= 0, "early_stopping_threshold", a.EarlyStoppingThreshold, "0 or more");
        yield return Unless(a.DdpTimeout >= 1, "ddp_timeout", a.DdpTimeout, "at least 1 second");
        yield return Unless(a.PatchDropRate is >= 0 and < 1, "patch_drop_rate", a.PatchDropRate, "at least 0 (none) and below 1");
        yield return Interval("logging_steps", a.LoggingSteps, a.LoggingStrategy == IntervalStrategy.Steps);
        yield return Interval("eval_steps", a.EvalSteps ?? a.LoggingSteps, a.EvalStrategy == IntervalStrategy.Steps);
        yield return Interval("save_steps", a.SaveSteps, a.SaveStrategy == SaveStrategy.Steps);
        foreach (var (pattern, rate) in a.ParameterLearningRates)
        {
            yield return Unless(rate > 0, $"parameter_learning_rates of '{pattern}'", rate, "above 0; freeze parameters that shall not learn");
        }
    }

    private static IEnumerable<string?> Together(TrainingArguments a)
    {
        var evaluates = a.EvalStrategy != IntervalStrategy.No;
        yield return a.MaxSteps > 0 && a.NumTrainEpochs != new TrainingArguments().NumTrainEpochs
            ? Invariant($"max_steps is {a.MaxSteps} and num_train_epochs is {PythonJson.Repr(a.NumTrainEpochs)}, but only one of them can say when training ends: leave one out.")
            : null;
        yield return a.Bf16 == true && a.Fp16 ? "bf16 and fp16 cannot both be true: choose one." : null;
        yield return a.Bf16FullEval && a.Fp16FullEval ? "bf16_full_eval and fp16_full_eval cannot both be true: choose one." : null;
        yield return a.LoadBestModelAtEnd && !evaluates
            ? "load_best_model_at_end needs evaluations during training: set eval_strategy to steps or epoch."
            : null;
        yield return a.LoadBestModelAtEnd && a.SaveStrategy == SaveStrategy.No
            ? "load_best_model_at_end needs checkpoints: set save_strategy to steps, epoch or best."
            : null;
        yield return a.SaveStrategy == SaveStrategy.Best && !evaluates
            ? "save_strategy best needs evaluations during training: set eval_strategy to steps or epoch."
            : null;
        yield return a.EarlyStoppingPatience is not null && !evaluates
            ? "early_stopping_patience needs evaluations during training: set eval_strategy to steps or epoch."
            : null;
        yield return a.LrSchedulerType == SchedulerType.ReduceLrOnPlateau && !evaluates
            ? "lr_scheduler_type reduce_lr_on_plateau needs evaluations during training: set eval_strategy to steps or epoch."
            : null;
        yield return a.PredictionLossOnly && a.MetricForBestModel is { } metric && metric is not ("loss" or "eval_loss")
            ? $"prediction_loss_only leaves the metrics out, so metric_for_best_model cannot be {metric}: leave one of them out."
            : null;
        yield return a.EvalOnStart && !evaluates ? "eval_on_start needs evaluations during training: set eval_strategy to steps or epoch." : null;
        yield return a.UnfreezeAtEpoch is not null && a.Freeze.Count == 0 ? "unfreeze_at_epoch needs freeze: say what is frozen until then, for example backbone." : null;
        yield return a.UnfreezeLearningRate is not null && a.UnfreezeAtEpoch is null ? "unfreeze_learning_rate needs unfreeze_at_epoch: say when it begins." : null;
        yield return a.UnfreezeLearningRate is not null && a.SavePythonState
            ? "unfreeze_learning_rate and save_python_state cannot go together: scheduler.pt holds one schedule, and this run has two."
            : null;
        yield return a.Teacher is null && a.DistillationAlpha != new TrainingArguments().DistillationAlpha ? "distillation_alpha needs teacher: name the model whose scores are learnt." : null;
        yield return a.Teacher is null && a.Temperature != new TrainingArguments().Temperature ? "temperature needs teacher: name the model whose scores are learnt." : null;
        yield return a.SwaEpochs > 0 && a.EmaDecay > 0 ? "swa_epochs and ema_decay each make an average that the run ends with: choose one." : null;
        yield return a.SwaEpochs > 0 && a.LoadBestModelAtEnd ? "swa_epochs ends the run with an average, and load_best_model_at_end with one checkpoint: choose one." : null;
        yield return a.SwaEpochs > 0 && a.EarlyStoppingPatience is not null ? "swa_epochs averages the last epochs, which nobody knows beforehand with early_stopping_patience: choose one." : null;
        yield return a.MaxSteps <= 0 && a.SwaEpochs > Math.Ceiling(a.NumTrainEpochs)
            ? Invariant($"swa_epochs is {a.SwaEpochs}, but the run has {PythonJson.Repr(a.NumTrainEpochs)} epochs: average fewer, or raise num_train_epochs.")
            : null;
        yield return a.FeatureCache == true && a.Freeze.Count == 0 ? "feature_cache needs a frozen backbone: set freeze to backbone." : null;
        yield return a.GradientCheckpointing && a.SyncBatchNorm ? "gradient_checkpointing and sync_batch_norm cannot go together: a block that runs again would add up its statistics over the processes again. Leave one of them out." : null;
        yield return a.GradientCheckpointing && a.AutoFindBatchSize ? "gradient_checkpointing and auto_find_batch_size cannot go together: a block that does not fit in the backward pass cannot be taken back. Leave one of them out." : null;
        yield return a.SavePythonState && a.SaveOnlyModel ? "save_python_state and save_only_model contradict each other: choose one." : null;
        yield return a.PushToHub && a.SaveStrategy == SaveStrategy.No && a.HubStrategy is HubStrategy.Checkpoint or HubStrategy.AllCheckpoints
            ? $"hub_strategy {SnakeCase.Of(a.HubStrategy)} needs checkpoints: set save_strategy to steps, epoch or best."
            : null;
        yield return a.TrainSamplingStrategy == TrainSamplingStrategy.Balanced && a.ClassWeights is not null
            ? "train_sampling_strategy balanced and class_weights both make up for rare classes: choose one."
            : null;
    }

    private static IEnumerable<string?> Words(TrainingArguments a)
    {
        yield return string.IsNullOrWhiteSpace(a.OutputDir) ? "output_dir is empty, expected the path of the run folder." : null;
        yield return Unknown("log_level", a.LogLevel, LogLevels)
            ?? (a.LogLevel == "passive" ? null : $"log_level cannot be {a.LogLevel}: the level is that of the logger which the trainer is given. Leave it out.");
        yield return a.HubModelId is { } id && !RepoId.TryParse(id, RepoType.Model, out _)
            ? $"hub_model_id is '{id}', expected owner/name, or a name alone, of letters, digits, '-', '_' and '.'."
            : null;
        yield return a.PushToHub && a.HubModelId is null && !RepoId.TryParse(a.HubRepository, RepoType.Model, out _)
            ? $"push_to_hub names the repository after the run folder, but '{a.HubRepository}' cannot be a name: give hub_model_id."
            : null;
        foreach (var reporter in a.ReportTo)
        {
            yield return Unknown("report_to", reporter, Reporters);
        }

        foreach (var pattern in a.Freeze.Where(f => f != "backbone").Concat(a.ParameterLearningRates.Keys))
        {
            yield return ParameterPattern.Problem(pattern);
        }
    }

    private static string? Unknown(string name, string value, string[] choices) => choices.Contains(value)
        ? null
        : $"{name} is '{value}'. Known: {string.Join(", ", choices)}.{Suggestion.DidYouMean(value, choices)}";

    private static string? Interval(string name, double value, bool isUsed) =>
        Unless(!isUsed || (value > 0 && (value < 1 || value == Math.Floor(value))), name, value, "a number of steps of at least 1, or a share below 1");

    private static string? Unless(bool fits, string name, IConvertible? value, string expected)
    {
        if (fits)
        {
            return null;
        }

        var text = value is double number ? PythonJson.Repr(number) : value?.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return $"{name} is {text}, expected {expected}.";
    }
}

/// <summary>Regular expressions that are searched in parameter names.</summary>
internal static class ParameterPattern
{
    // Names are short and expressions the user's own: a second means a mistake.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static bool Matches(string pattern, string name) => Regex.IsMatch(name, pattern, RegexOptions.CultureInvariant, Patience);

    /// <summary>What is wrong with an expression; null where nothing is.</summary>
    public static string? Problem(string pattern)
    {
        try
        {
            _ = new Regex(pattern, RegexOptions.CultureInvariant, Patience);
            return null;
        }
        catch (ArgumentException e)
        {
            return $"'{pattern}' is not a regular expression of parameter names: {e.Message}";
        }
    }
}
