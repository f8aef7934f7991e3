using System.Globalization;
using Vizsla.Primitives;

namespace Vizsla.Training.Reports;

/// <summary>The list of hyperparameters in a model card.</summary>
/// <remarks>Source: <c>extract_hyperparameters_from_trainer</c> of transformers' <c>modelcard.py</c>. Parity: the same lines; bf16 is listed too.</remarks>
internal static class CardHyperparameters
{
    /// <summary>The lines without their dashes.</summary>
    /// <param name="arguments">What was asked.</param>
    /// <param name="precision">Precision of the forward passes.</param>
    public static IEnumerable<string> Of(TrainingArguments arguments, string precision)
    {
        yield return "learning_rate: " + PythonJson.Repr(arguments.LearningRate);
        yield return Whole("train_batch_size", arguments.PerDeviceTrainBatchSize);
        yield return Whole("eval_batch_size", arguments.PerDeviceEvalBatchSize);
        yield return Whole("seed", arguments.Seed);
        if (arguments.GradientAccumulationSteps > 1)
        {
            yield return Whole("gradient_accumulation_steps", arguments.GradientAccumulationSteps);
            yield return Whole("total_train_batch_size", (long)arguments.PerDeviceTrainBatchSize * arguments.GradientAccumulationSteps);
        }

        yield return "optimizer: " + Optimizer(arguments);
        yield return "lr_scheduler_type: " + SnakeCase.Of(arguments.LrSchedulerType);
        if (arguments.WarmupRatio != 0)
        {
            yield return "lr_scheduler_warmup_ratio: " + PythonJson.Repr(arguments.WarmupRatio);
        }

        if (arguments.WarmupSteps != 0)
        {
            yield return "lr_scheduler_warmup_steps: " + (arguments.WarmupSteps == Math.Floor(arguments.WarmupSteps)
                ? arguments.WarmupSteps.ToString(CultureInfo.InvariantCulture)
                : PythonJson.Repr(arguments.WarmupSteps));
        }

        yield return arguments.MaxSteps > 0
            ? Whole("training_steps", arguments.MaxSteps)
            : "num_epochs: " + PythonJson.Repr(arguments.NumTrainEpochs);
        if (precision is not "float32")
        {
            yield return $"mixed_precision_training: {precision}";
        }

        if (arguments.LabelSmoothingFactor != 0)
        {
            yield return "label_smoothing_factor: " + PythonJson.Repr(arguments.LabelSmoothingFactor);
        }
    }

    private static string Optimizer(TrainingArguments arguments)
    {
        var name = SnakeCase.Of(arguments.Optim);
        var others = arguments.OptimArgs is { Length: > 0 } given ? given : "No additional optimizer arguments";
        return name.Contains("adam", StringComparison.Ordinal)
            ? $"Use {name} with betas=({PythonJson.Repr(arguments.AdamBeta1)},{PythonJson.Repr(arguments.AdamBeta2)}) and epsilon={PythonJson.Repr(arguments.AdamEpsilon)} and optimizer_args={others}"
            : $"Use {name} and the args are:\n{others}";
    }

    private static string Whole(string name, long value) => string.Create(CultureInfo.InvariantCulture, $"{name}: {value}");
}
