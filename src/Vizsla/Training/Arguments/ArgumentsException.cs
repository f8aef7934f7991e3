namespace Vizsla.Training.Arguments;

/// <summary>Arguments that are unknown, malformed, or contradict each other; names every problem at once.</summary>
public sealed class ArgumentsException : ArgumentException
{
    /// <summary>Makes the exception.</summary>
    public ArgumentsException()
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">The problem.</param>
    public ArgumentsException(string message)
        : this([message])
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">The problem.</param>
    /// <param name="innerException">Its cause.</param>
    public ArgumentsException(string message, Exception? innerException)
        : base(message, innerException) => Problems = [message];

    /// <summary>Makes the exception.</summary>
    /// <param name="problems">One sentence each.</param>
    public ArgumentsException(IReadOnlyList<string> problems)
        : base(string.Join('\n', problems)) => Problems = problems;

    /// <summary>One sentence each.</summary>
    public IReadOnlyList<string> Problems { get; } = [];
}
