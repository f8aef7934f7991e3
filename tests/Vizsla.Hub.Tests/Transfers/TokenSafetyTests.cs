using Vizsla.Testing.Hub;

namespace Vizsla.Hub.Tests.Transfers;

public sealed class TokenSafetyTests
{
    private static readonly byte[] Content = "content"u8.ToArray();

    [Fact]
    public async Task A_storage_of_another_origin_never_sees_the_token()
    {
        var etag = ClientFixture.Sha256(Content);
        await using var hub = new ClientFixture((f, r) => r.IsStorage ? ClientFixture.Answer(200, Content)
            : ClientFixture.Redirect(302, new Uri(f.Storage, "/x?Signature=s"), ("X-Repo-Commit", ClientFixture.Commit), ("X-Linked-ETag", $"\"{etag}\""), ("X-Linked-Size", $"{Content.Length}")));

        await hub.Client.DownloadFileAsync(ClientFixture.Repo, "a.bin");

        Assert.Equal([(false, true), (true, false)], hub.Requests.Select(r => (r.IsStorage, r.Headers.ContainsKey("authorization"))));
    }

    [Fact]
    public async Task A_redirect_of_a_GET_to_another_origin_leaves_the_token_behind()
    {
        await using var hub = new ClientFixture((f, r) => r.IsStorage ? ClientFixture.Json("""{"id":"user/repo","sha":"x"}""") : ClientFixture.Redirect(307, new Uri(f.Storage, "/elsewhere")));

        await hub.Client.RepoInfoAsync(ClientFixture.Repo);

        Assert.Equal([(false, true), (true, false)], hub.Requests.Select(r => (r.IsStorage, r.Headers.ContainsKey("authorization"))));
    }

    [Fact]
    public async Task The_next_page_on_another_origin_is_asked_without_the_token()
    {
        await using var hub = new ClientFixture((f, r) => r.IsStorage ? ClientFixture.Json("[]") : ClientFixture.Json("[]", 200, ("Link", $"<{new Uri(f.Storage, "/next")}>; rel=\"next\"")));

        await hub.Client.ListTreeAsync(ClientFixture.Repo).ToListAsync();

        Assert.False(hub.Requests.Single(r => r.IsStorage).Headers.ContainsKey("authorization"));
    }

    [Fact]
    public async Task An_upload_to_the_storage_carries_no_token()
    {
        var oid = ClientFixture.Sha256(Content);
        await using var hub = new ClientFixture((f, r) => Upload(f, r, oid));

        await hub.Client.CommitAsync(ClientFixture.Repo, [new CommitAdd("a.bin", Content)], "Add");

        Assert.Equal([false], hub.Requests.Where(r => r.IsStorage).Select(r => r.Headers.ContainsKey("authorization")));
        Assert.All(hub.Requests.Where(r => !r.IsStorage), r => Assert.Equal("Bearer hf_secretword", r.Headers["authorization"]));
    }

    [Fact]
    public async Task A_refusal_that_repeats_the_token_does_not_show_it()
    {
        await using var hub = new ClientFixture((_, _) => ClientFixture.Json("""{"error":"bad token hf_secretword"}""", 403, ("X-Error-Message", "hf_secretword is no good"), ("X-Request-Id", "r-1")));

        var e = await Assert.ThrowsAsync<HubException>(() => hub.Client.RepoInfoAsync(ClientFixture.Repo));

        Assert.Equal(
            "Could not look up model 'user/repo': access is forbidden (HTTP 403, request r-1). The Hub says: hf_*** is no good; bad token hf_***. Use a token with the needed role; storage links expire, so a retry may also help.",
            e.Message);
    }

    [Fact]
    public async Task A_signed_address_is_in_no_message()
    {
        var etag = ClientFixture.Sha256(Content);
        await using var hub = new ClientFixture((f, r) => r.IsStorage ? ClientFixture.Answer(403, [])
            : ClientFixture.Redirect(302, new Uri(f.Storage, "/x?Signature=secretsignature"), ("X-Repo-Commit", ClientFixture.Commit), ("X-Linked-ETag", $"\"{etag}\""), ("X-Linked-Size", "7")));

        var e = await Assert.ThrowsAsync<HubException>(() => hub.Client.DownloadFileAsync(ClientFixture.Repo, "a.bin"));

        Assert.DoesNotContain("secretsignature", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reads_go_without_the_token_when_it_is_not_to_be_implied()
    {
        await using var hub = new ClientFixture((_, _) => ClientFixture.Json("""{"id":"user/repo","sha":"x"}"""));
        using var client = hub.Make(o => o with { DisableImplicitToken = true });

        await client.RepoInfoAsync(ClientFixture.Repo);

        Assert.False(hub.Requests.Single().Headers.ContainsKey("authorization"));
    }

    private static RawAnswer Upload(ClientFixture f, RawRequest r, string oid) => r switch
    {
        { IsStorage: true } => ClientFixture.Answer(200, []),
        { Path: var p } when p.Contains("/preupload/", StringComparison.Ordinal) => ClientFixture.Json("""{"files":[{"path":"a.bin","uploadMode":"lfs","shouldIgnore":false}]}"""),
        { Path: var p } when p.EndsWith("/batch", StringComparison.Ordinal) =>
            ClientFixture.Json($$"""
                {"objects": [{"oid": "{{oid}}", "size": 7, "actions": {"upload": {"href": "{{new Uri(f.Storage, "/put")}}"}, "verify": {"href": "{{new Uri(f.Endpoint, "/verify")}}"} } }]}
                """),
        { Path: var p } when p.Contains("/commit/", StringComparison.Ordinal) => ClientFixture.Json($$"""{"commitOid":"{{ClientFixture.Commit}}","commitUrl":"http://x/y"}"""),
        _ => ClientFixture.Json("{}"),
    };
}
