namespace Vizsla.Transforms;

/// <summary>A pipeline or a step that cannot run as it is written.</summary>
public sealed class TransformException : ArgumentException
{
    /// <summary>Makes an exception without a known problem.</summary>
    public TransformException()
        : this(["The pipeline cannot run."])
    {
    }

    /// <summary>Makes an exception of one problem.</summary>
    /// <param name="message">The problem in a sentence.</param>
    public TransformException(string message)
        : this([message])
    {
    }

    /// <summary>Makes an exception of one problem and its cause.</summary>
    /// <param name="message">The problem in a sentence.</param>
    /// <param name="innerException">The cause.</param>
    public TransformException(string message, Exception innerException)
        : base(message, innerException) => Problems = [message];

    /// <summary>Makes an exception that lists every problem.</summary>
    /// <param name="problems">The problems, one sentence each; at least one.</param>
    public TransformException(IReadOnlyList<string> problems)
        : base(Describe(problems)) => Problems = problems;

    /// <summary>The problems, one sentence each.</summary>
    public IReadOnlyList<string> Problems { get; }

    private static string Describe(IReadOnlyList<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        return problems.Count == 1
            ? problems[0]
            : $"{problems.Count} problems in the transforms:\n{string.Join('\n', problems.Select(problem => "  " + problem))}";
    }
}
