namespace Vizsla.Studio.Runs;

/// <summary>How a run stands.</summary>
public enum RunState
{
    /// <summary>Something was written lately, and no end.</summary>
    Running,

    /// <summary>It reached its end.</summary>
    Done,

    /// <summary>It was interrupted, or nothing was written for a while.</summary>
    Stopped,

    /// <summary>It ended with an error.</summary>
    Failed,
}
