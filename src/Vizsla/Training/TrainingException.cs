namespace Vizsla.Training;

/// <summary>A run that cannot start, go on, or be resumed.</summary>
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
