namespace Vizsla.Hub.Tests.Transfers;

/// <summary>What a user reads when a Hub refuses: what failed, of what, the status, the request, and what to do.</summary>
public sealed class RefusalTests
{
    private const string Subject = "Could not download 'config.json' of model 'user/repo' at 'v1'";

    public static TheoryData<int, string, string, HubErrorKind, string> Refusals => new()
    {
        { 404, "RevisionNotFound", "", HubErrorKind.RevisionNotFound, "the repository has no revision 'v1' (HTTP 404, request r-7). Check the name of the branch, tag or commit." },
        { 404, "EntryNotFound", "", HubErrorKind.EntryNotFound, "the repository has no such file or folder (HTTP 404, request r-7). Check the path; it is case-sensitive." },
        { 403, "GatedRepo", "", HubErrorKind.GatedRepository, "the repository is gated (HTTP 403, request r-7). Ask for access on {host}/user/repo, then log in with 'vizsla login'." },
        { 404, "RepoNotFound", "", HubErrorKind.RepositoryNotFound, "{host} has no such repository, or it is private (HTTP 404, request r-7). Check the name and the type, and that the token may see it." },
        { 401, "", "", HubErrorKind.RepositoryNotFound, "{host} has no such repository, or it is private (HTTP 401, request r-7). Check the name and the type, and that the token may see it." },
        { 401, "", "Invalid credentials in Authorization header", HubErrorKind.Unauthorized, "the access token is not valid (HTTP 401, request r-7). The Hub says: Invalid credentials in Authorization header. Log in again with 'vizsla login', or correct HF_TOKEN." },
        { 403, "", "Access to this resource is disabled.", HubErrorKind.DisabledRepository, "the Hub has disabled this repository (HTTP 403, request r-7). The Hub says: Access to this resource is disabled. Ask its owner or the Hub." },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Each_refusal_says_what_of_what_and_what_to_do(int status, string code, string message, HubErrorKind kind, string text)
    {
        (string, string)[] headers = [("X-Request-Id", "r-7"), .. code.Length > 0 ? [("X-Error-Code", code)] : Array.Empty<(string, string)>(), .. message.Length > 0 ? [("X-Error-Message", message)] : Array.Empty<(string, string)>()];
        await using var hub = new ClientFixture((_, _) => ClientFixture.Answer(status, [], headers));

        var e = await Assert.ThrowsAsync<HubException>(() => hub.Client.DownloadFileAsync(ClientFixture.Repo, "config.json", "v1"));

        Assert.Equal($"{Subject}: {text.Replace("{host}", hub.Endpoint.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)}", e.Message);
        Assert.Equal((kind, "user/repo", "config.json", "v1", "r-7", status), (e.Kind, e.Repo!.Id, e.Path, e.Revision, e.RequestId, (int)e.Status!));
    }
}
