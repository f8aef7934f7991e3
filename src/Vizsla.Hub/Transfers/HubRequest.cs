namespace Vizsla.Hub.Transfers;

/// <summary>One request, made anew for each attempt.</summary>
/// <param name="Method">The verb.</param>
/// <param name="Address">Where to.</param>
internal sealed record HubRequest(HttpMethod Method, Uri Address)
{
    /// <summary>Makes the body; null sends none.</summary>
    public Func<HttpContent>? Content { get; init; }

    /// <summary>Media type asked for; null asks for any.</summary>
    public string? Accept { get; init; }

    /// <summary>First byte wanted; null wants all.</summary>
    public long? Range { get; init; }

    /// <summary>Whether the token is sent, if the address is the endpoint's.</summary>
    public bool Authorize { get; init; } = true;

    /// <summary>Whether a redirect to another origin is the answer instead of a way.</summary>
    public bool StopsAtOtherOrigin { get; init; }

    /// <summary>How long to wait for the answer's headers.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(100);
}
