using System.Globalization;

namespace Vizsla.Cli.Jobs;

/// <summary>The training arguments of a command that gives none.</summary>
internal static class DefaultArguments
{
    /// <summary>Picks arguments and says which.</summary>
    /// <param name="outputDir">The run folder.</param>
    /// <param name="fromScratch">Whether the weights are random, which takes a larger rate and more epochs.</param>
    /// <param name="hasEvaluation">Whether there is a split to evaluate on.</param>
    public static TrainingArguments Pick(string outputDir, bool fromScratch, bool hasEvaluation) => new()
    {
        OutputDir = outputDir,
        LearningRate = fromScratch ? 1e-3 : 5e-5,
        NumTrainEpochs = fromScratch ? 30 : 5,
        PerDeviceTrainBatchSize = 32,
        PerDeviceEvalBatchSize = 64,
        WarmupSteps = 0.1,
        WeightDecay = 0.01,
        LoggingSteps = 10,
        EvalStrategy = hasEvaluation ? IntervalStrategy.Epoch : IntervalStrategy.No,
        SaveStrategy = SaveStrategy.Epoch,
        SaveTotalLimit = 2,
        LoadBestModelAtEnd = hasEvaluation,
        MetricForBestModel = hasEvaluation ? "accuracy" : null,
        ReportTo = ["tensorboard"],
    };

    /// <summary>The picks as the flags that would ask for them.</summary>
    public static string Describe(TrainingArguments arguments)
    {
        var text = $"--learning_rate {Text(arguments.LearningRate)} --num_train_epochs {Text(arguments.NumTrainEpochs)} --per_device_train_batch_size {arguments.PerDeviceTrainBatchSize}"
            + $" --per_device_eval_batch_size {arguments.PerDeviceEvalBatchSize} --warmup_steps {Text(arguments.WarmupSteps)} --weight_decay {Text(arguments.WeightDecay)}"
            + $" --logging_steps {Text(arguments.LoggingSteps)} --save_strategy epoch --save_total_limit {arguments.SaveTotalLimit} --report_to tensorboard";
        return arguments.LoadBestModelAtEnd
            ? text + " --eval_strategy epoch --load_best_model_at_end --metric_for_best_model accuracy"
            : text;
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant();
}
