using System.Reflection;
using System.Runtime.InteropServices;

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

/// <summary>What a request is about, for the error that it may end in.</summary>
/// <param name="Action">What failed, as the rest of "Could not ...": <c>download</c>, <c>commit to</c>.</param>
/// <param name="Repo">The repository, or null.</param>
/// <param name="Path">The file, or null.</param>
/// <param name="Revision">Branch, tag or commit, or null.</param>
internal sealed record RequestSubject(string Action, RepoId? Repo = null, string? Path = null, string? Revision = null)
{
    /// <summary><c>Could not download 'config.json' of model 'user/name' at 'main'</c>.</summary>
    public override string ToString()
    {
        var what = (Path, Repo) switch
        {
            (null, null) => "",
            (null, { } repo) => $" {repo.TypeName} '{repo.Id}'",
            ({ } path, null) => $" '{path}'",
            ({ } path, { } repo) => $" '{path}' of {repo.TypeName} '{repo.Id}'",
        };
        return $"Could not {Action}{what}{(Revision is null ? "" : $" at '{Revision}'")}";
    }
}

/// <summary>The User-Agent header of this library.</summary>
internal static class UserAgent
{
    public static string Value { get; } =
        $"vizsla/{typeof(UserAgent).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0]} dotnet/{Environment.Version.ToString(2)} ({RuntimeInformation.OSArchitecture})";
}
