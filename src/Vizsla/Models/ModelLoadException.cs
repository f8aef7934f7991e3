using Vizsla.Models.Weights;

namespace Vizsla.Models;

/// <summary>A model's files cannot be read, or do not fit the model.</summary>
public sealed class ModelLoadException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">File or value, what was expected, what to do.</param>
    public ModelLoadException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception for another one.</summary>
    /// <param name="message">File or value, what was expected, what to do.</param>
    /// <param name="inner">The cause.</param>
    public ModelLoadException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>Makes the exception for weights that do not fit.</summary>
    /// <param name="message">What does not fit, and what to do.</param>
    /// <param name="report">Every weight that is missing, superfluous or of another shape.</param>
    public ModelLoadException(string message, LoadReport report)
        : base(message) => Report = report;

    /// <summary>Every weight that is missing, superfluous or of another shape; null where no weights were compared.</summary>
    public LoadReport? Report { get; }
}
