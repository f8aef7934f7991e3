using System.Globalization;
using Microsoft.Extensions.Logging;
using Vizsla.Models;

namespace Vizsla.Training.Checkpoints;

/// <summary>Whether the disk of the run folder holds the checkpoints that will be written.</summary>
internal static partial class DiskSpace
{
    private const double Gibibyte = 1L << 30;

    // Configuration, state, rows and plots beside the tensors.
    private const long Besides = 4L << 20;

    /// <summary>Refuses a run whose second checkpoint could not be written beside its first; warns where those to be kept do not all fit.</summary>
    /// <param name="arguments">The arguments; the run folder is there already.</param>
    /// <param name="classifier">The model.</param>
    /// <param name="logger">Receives the warning.</param>
    /// <exception cref="TrainingException">There is not enough space.</exception>
    public static void Require(TrainingArguments arguments, ImageClassifier classifier, ILogger logger)
    {
        if (Free(arguments.OutputDir) is not { } free)
        {
            return;
        }

        var model = classifier.SavedState.Sum(t => t.Value.numel() * t.Value.element_size());
        var checkpoint = CheckpointBytes(arguments, model, classifier.ActiveAdapter is null ? classifier.Network.named_parameters().Sum(p => p.parameter.numel()) : classifier.SavedState.Sum(t => t.Value.numel()));
        if (Problem(arguments, model, checkpoint, free) is { } problem)
        {
            throw new TrainingException(problem);
        }

        if (arguments.SaveStrategy != SaveStrategy.No && (arguments.SaveTotalLimit ?? 0) is > 1 and var limit && free < model + ((limit + 1L) * checkpoint))
        {
            NotAll(logger, arguments.OutputDir, Text(free), limit, Text(checkpoint));
        }
    }

    /// <summary>Bytes that a checkpoint takes, about.</summary>
    /// <param name="arguments">Optimizer, moving average, and what is saved.</param>
    /// <param name="model">Bytes of the weights and buffers.</param>
    /// <param name="parameterCount">Numbers that may train.</param>
    public static long CheckpointBytes(TrainingArguments arguments, long model, long parameterCount)
    {
        var states = arguments.SaveOnlyModel ? 0 : sizeof(float) * parameterCount * StatesOf(arguments.Optim) * (arguments.SavePythonState ? 2 : 1);
        return model + (arguments.EmaDecay > 0 || arguments.SwaEpochs > 0 ? model : 0) + states + Besides;
    }

    /// <summary>The sentence for a disk that is too small; null where it is not.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <param name="model">Bytes of the model.</param>
    /// <param name="checkpoint">Bytes of a checkpoint.</param>
    /// <param name="free">Bytes that are free.</param>
    public static string? Problem(TrainingArguments arguments, long model, long checkpoint, long free)
    {
        // A checkpoint stands until the next one is whole.
        var needed = model + (arguments.SaveStrategy == SaveStrategy.No ? 0 : 2 * checkpoint);
        return free >= needed
            ? null
            : $"The disk of '{arguments.OutputDir}' has {Text(free)} free and the run needs at least {Text(needed)}: the model takes {Text(model)} and each checkpoint {Text(checkpoint)}, of which two exist while one is written. "
                + "Free some space, give another output_dir, or set save_only_model.";
    }

    // Adafactor keeps rows and columns alone; for the others the tensors of a parameter's own size.
    private static int StatesOf(OptimizerName optimizer) => optimizer switch
    {
        OptimizerName.Adafactor => 0,
        OptimizerName.Sgd or OptimizerName.Rmsprop or OptimizerName.Adagrad or OptimizerName.Lion_32bit => 1,
        _ => 2,
    };

    private static long? Free(string folder)
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // A share without a drive letter, a file system that does not tell: it cannot be known.
            return null;
        }
    }

    private static string Text(long bytes) => bytes < Gibibyte / 10
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):F1} MiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / Gibibyte:F1} GiB");

    [LoggerMessage(Level = LogLevel.Warning, Message = "The disk of '{Folder}' has {Free} free, which does not hold the {Limit} checkpoints of {Size} that are to be kept and the one being written.")]
    private static partial void NotAll(ILogger logger, string folder, string free, int limit, string size);
}
