namespace Vizsla.Studio.Hosting;

/// <summary>A request that is not taken; the message is meant for the caller and names nothing inside the server.</summary>
internal sealed class RefusedException(int status, string message, TimeSpan? retryAfter = null) : Exception(message)
{
    /// <summary>HTTP status code.</summary>
    public int Status { get; } = status;

    /// <summary>When to try again; null when trying again cannot help.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}
