namespace Vizsla.Serving;

/// <summary>A picture is not answered: it cannot be read, too many wait, or the server stops. The message is for the caller and tells nothing of the server's inside.</summary>
public sealed class RefusedException : Exception
{
    /// <param name="status">HTTP status code.</param>
    /// <param name="message">One sentence.</param>
    /// <param name="retryAfter">When to try again; null when trying again cannot help.</param>
    public RefusedException(int status, string message, TimeSpan? retryAfter = null)
        : base(message) => (Status, RetryAfter) = (status, retryAfter);

    /// <summary>HTTP status code: 400, 404, 413, 415, 429 or 503.</summary>
    public int Status { get; }

    /// <summary>When to try again; null when trying again cannot help.</summary>
    public TimeSpan? RetryAfter { get; }
}
