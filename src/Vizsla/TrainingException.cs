using Vizsla.Training.Checkpoints;

namespace Vizsla;

/// <summary>A run that cannot start, continue or be resumed.</summary>
public sealed class TrainingException : Exception
{
    /// <summary>Makes the exception.</summary>
    public TrainingException()
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">What failed, what was expected, and what to do.</param>
    public TrainingException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">What failed, what was expected, and what to do.</param>
    /// <param name="innerException">Its cause.</param>
    public TrainingException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>The optimizer step at which it happened; null where no step was running.</summary>
    public int? Step { get; init; }
}

/// <summary>A training that was asked to stop and did so after a whole step.</summary>
public sealed class TrainingStoppedException : OperationCanceledException
{
    /// <summary>Makes the exception.</summary>
    public TrainingStoppedException()
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">The message.</param>
    public TrainingStoppedException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">Its cause.</param>
    public TrainingStoppedException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="checkpoint">The checkpoint that was saved.</param>
    /// <param name="step">Steps done.</param>
    /// <param name="token">The token that was cancelled.</param>
    public TrainingStoppedException(string checkpoint, int step, CancellationToken token)
        : base($"Stopped after step {step}; '{checkpoint}' holds everything to resume with resume_from_checkpoint.", token)
    {
        (Checkpoint, Step) = (checkpoint, step);
    }

    /// <summary>The checkpoint that was saved.</summary>
    public string? Checkpoint { get; }

    /// <summary>Steps done.</summary>
    public int Step { get; }
}
