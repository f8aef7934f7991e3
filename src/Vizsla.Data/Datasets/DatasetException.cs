namespace Vizsla.Datasets;

/// <summary>A dataset that cannot be read, split or written as asked: the message names the file or value and says what to do.</summary>
public sealed class DatasetException : Exception
{
    /// <summary>Makes the exception without a message of its own.</summary>
    public DatasetException()
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">What failed, the thing in quotes, got and expected, what to do.</param>
    public DatasetException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception with its cause.</summary>
    /// <param name="message">What failed, the thing in quotes, got and expected, what to do.</param>
    /// <param name="innerException">The cause.</param>
    public DatasetException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
