using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Vizsla.Hub;
using Vizsla.HubServer.Api;

namespace Vizsla.HubServer.Tests.Api;

/// <summary>Requests that no client means: each is refused with a sentence, none is an error of the server.</summary>
public sealed class HostileRequestTests : IAsyncLifetime
{
    private static readonly RepoId Open = RepoId.Model("anna/open");
    private static readonly RepoId Secret = RepoId.Model("anna/secret");

    private static readonly string[] Hostile =
    [
        "%00", "%0A", "%0D%0AX-Forged:%201", "%1B%5B31m", "%7F", "%C2%85", "%FF", "%ED%A0%80", "..", "%2E%2E%2F%2E%2E", "%2F", "%5C", "~", "@%7B", "%25", "%", "%zz", ".lock", "a..b", "-", "'--", "%22", "%F0%9F%90%95",
        "1e308", "-1", "99999999999999999999", "NaN", "true", "null", new string('a', 5000),
    ];

    private static readonly string[] Bodies =
    [
        "", "{", "[]", "null", "7", "\"x\"", "{\"a\":1,\"a\":2}", "{\"name\":\"x\",\"name\":\"y\"}", "{\"name\":\"\\ud800\"}", "{\"\\udc00\":1}", "{\"name\":\"a\\u0000b\"}", "{\"name\":{}}", "{\"name\":[]}", "{\"name\":1e308}",
        "{\"files\":[7]}", "{\"files\":[{\"path\":\"\\ud800\"}]}", "{\"files\":[{\"path\":\"a\",\"size\":1e308,\"sample\":7}]}", "{\"files\":[{\"path\":\"a\",\"path\":\"b\"}]}", "{\"paths\":[{}]}", "{\"operation\":7}",
        "{\"operation\":\"upload\",\"objects\":[{\"oid\":\"x\",\"size\":-1}]}", "{\"operation\":\"upload\",\"transfers\":[\"multipart\"],\"objects\":[{\"oid\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"size\":9223372036854775807}]}",
        "{\"key\":\"header\",\"value\":{\"summary\":\"\\ud800\"}}", "{\"key\":\"header\",\"value\":{\"summary\":\"s\"}}\n{\"key\":\"file\",\"value\":{\"path\":\"a\\u0001\",\"content\":\"\"}}", "{\"key\":\"header\",\"value\":{\"summary\":\"s\"}}\n{\"key\":\"file\",\"value\":{\"path\":\"a\",\"path\":\"b\",\"content\":\"\"}}",
        "{\"title\":\"a\\u0000bcd\"}", "{\"status\":\"merged\"}", "{\"tag\":\"a b\"}", "{\"startingPoint\":\"\\u0000\"}", "{\"gated\":\"maybe\"}", "{\"visibility\":7}", "{\"content\":\"---\\nx: .nan\\n---\\n\"}", "{\"content\":\"---\\n? [a]\\n: b\\n---\\n\"}", new string('[', 20_000),
    ];

    private ServerFixture _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ServerFixture.StartAsync();
        var anna = _server.Client("hf_anna");
        await anna.CreateRepoAsync(Open);
        await anna.CreateRepoAsync(Secret, isPrivate: true);
        await anna.CommitAsync(Open, [new CommitAdd("README.md", "---\nx: .nan\ny: 2026-01-01\n---\n"u8.ToArray())], "Add");
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(null)]
    [InlineData("hf_anna")]
    public async Task Hostile_values_in_addresses_are_no_error_of_the_server(string? token)
    {
        using var http = _server.Http(token);
        string[] routes =
        [
            "/{0}", "/{0}/x", "/anna/{0}", "/anna/open/tree/{0}", "/anna/open/tree/main/{0}", "/anna/open/blob/main/{0}", "/anna/open/commits/{0}", "/anna/open/commit/{0}", "/anna/open/discussions/{0}", "/anna/open/resolve/{0}/a", "/anna/open/resolve/main/{0}",
            "/datasets/{0}/x", "/api/models/{0}/x", "/api/models/anna/{0}", "/api/models/anna/open/{0}", "/api/models/anna/open/revision/{0}", "/api/models/anna/open/tree/{0}", "/api/models/anna/open/tree/main/{0}", "/api/models/anna/open/commits/{0}",
            "/api/models/anna/open/discussions/{0}", "/api/resolve-cache/models/anna/open/{0}/{0}", "/files/{0}", "/api/models?search={0}&author={0}&filter={0}&limit={0}&cursor={0}", "/api/models?sort={0}", "/api/models?gated={0}", "/api/models?expand={0}",
            "/api/datasets?filter={0}&language={0}", "/api/models/anna/open/discussions?p={0}&type={0}&status={0}", "/api/models/anna/open/tree/main?cursor={0}&limit={0}&recursive={0}", "/static/{0}",
        ];
        var faults = new List<string>();

        foreach (var route in routes)
        {
            foreach (var value in Hostile)
            {
                await TryAsync(http, HttpMethod.Get, string.Format(System.Globalization.CultureInfo.InvariantCulture, route, value), null, faults);
            }
        }

        Assert.Empty(faults);
    }

    [Fact]
    public async Task Hostile_bodies_and_names_of_changes_are_no_error_of_the_server()
    {
        using var http = _server.Http("hf_anna");
        (string Method, string Address)[] routes =
        [
            ("POST", "/api/repos/create"), ("DELETE", "/api/repos/delete"), ("POST", "/api/repos/move"), ("POST", "/api/validate-yaml"), ("PUT", "/api/models/anna/open/settings"), ("POST", "/api/models/anna/open/preupload/main"),
            ("POST", "/api/models/anna/open/commit/main"), ("POST", "/api/models/anna/open/paths-info/main"), ("POST", "/api/models/anna/open/branch/new"), ("POST", "/api/models/anna/open/tag/main"), ("POST", "/api/models/anna/open/super-squash/none"),
            ("POST", "/api/models/anna/open/discussions"), ("POST", "/api/models/anna/open/discussions/1/comment"), ("POST", "/api/models/anna/open/discussions/1/status"), ("POST", "/api/models/anna/open/discussions/1/title"), ("POST", "/api/models/anna/open/discussions/1/merge"),
            ("POST", "/anna/open.git/info/lfs/objects/batch"), ("POST", "/anna/open.git/info/lfs/objects/verify"), ("POST", "/anna/open.git/info/lfs/objects/complete"), ("PUT", "/upload/aa?uploadId=x&partNumber=y"),
        ];
        var faults = new List<string>();

        foreach (var (method, address) in routes)
        {
            foreach (var body in Bodies)
            {
                await TryAsync(http, new HttpMethod(method), address, body, faults);
            }
        }

        foreach (var value in Hostile)
        {
            await TryAsync(http, HttpMethod.Post, $"/api/models/anna/open/branch/{value}", "{}", faults);
            await TryAsync(http, HttpMethod.Delete, $"/api/models/anna/open/branch/{value}", null, faults);
            await TryAsync(http, HttpMethod.Post, $"/api/models/anna/open/tag/{value}", "{\"tag\":\"t\"}", faults);
            await TryAsync(http, HttpMethod.Post, $"/api/models/anna/open/commit/{value}", "{\"key\":\"header\",\"value\":{\"summary\":\"s\"}}", faults);
            await TryAsync(http, HttpMethod.Post, $"/api/models/anna/open/preupload/{value}", "{\"files\":[]}", faults);
            await TryAsync(http, HttpMethod.Post, $"/api/models/anna/open/super-squash/{value}", "{}", faults);
        }

        Assert.Empty(faults);
    }

    [Fact]
    public async Task A_control_character_in_a_revision_is_refused_with_a_sentence()
    {
        using var http = _server.Http(null);

        var answer = await http.GetAsync("/api/models/anna/open/revision/a%0Ab");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("""{"error":"A revision and a path hold no control characters."}""", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_renamed_private_repository_tells_its_new_name_to_those_alone_who_see_it()
    {
        await _server.Client("hf_anna").MoveRepoAsync(Secret, RepoId.Model("anna/hidden"));
        async Task<HttpStatusCode> Ask(string? token)
        {
            using var http = _server.Http(token);
            return (await http.GetAsync("/api/models/anna/secret")).StatusCode;
        }

        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.NotFound, HttpStatusCode.TemporaryRedirect), (await Ask(null), await Ask("hf_ben"), await Ask("hf_anna")));
    }

    [Fact]
    public async Task A_page_elsewhere_changes_nothing_and_cannot_call_the_hub_by_another_name()
    {
        using var http = _server.Http(null);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String("anna:hf_anna"u8));
        async Task<HttpStatusCode> Create(string type, string? origin, string? host)
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, "/api/repos/create") { Content = new StringContent($$"""{"name":"r{{Guid.NewGuid():N}}"}""", Encoding.UTF8, type) };
            if (origin is not null)
            {
                message.Headers.Add("Origin", origin);
            }

            message.Headers.Host = host;
            return (await http.SendAsync(message)).StatusCode;
        }

        Assert.Equal(HttpStatusCode.Forbidden, await Create("application/json", "http://evil.example", null));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, await Create("text/plain", null, null));
        Assert.Equal(HttpStatusCode.MisdirectedRequest, await Create("application/json", null, "evil.example"));
        Assert.Equal(HttpStatusCode.OK, await Create("application/json", null, null));
        Assert.Equal(HttpStatusCode.OK, await Create("application/json", _server.Host.Address.GetLeftPart(UriPartial.Authority), null));
    }

    [Fact]
    public async Task A_name_that_was_allowed_is_answered()
    {
        await using var server = await ServerFixture.StartAsync(o => o with { AllowedHosts = ["hub.example"] });
        using var http = server.Http(null);
        using var message = new HttpRequestMessage(HttpMethod.Get, "/api/models");
        message.Headers.Host = "hub.example:8000";

        Assert.Equal(HttpStatusCode.OK, (await http.SendAsync(message)).StatusCode);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("file")]
    public async Task A_full_disk_is_507(string kind)
    {
        Exception full = kind == "sqlite" ? new SqliteException("database or disk is full", 13) : new IOException("No space left on device", OperatingSystem.IsWindows() ? unchecked((int)0x80070070) : 28);
        var context = new DefaultHttpContext();
        context.Request.Host = new HostString("127.0.0.1");
        context.Response.Body = new MemoryStream();
        var pipeline = new HubPipeline(_ => throw full, null!, null!, new HostGuard(new HubServerOptions { DataDirectory = "x" }), NullLogger<HubPipeline>.Instance);

        await pipeline.InvokeAsync(context);

        Assert.Equal(507, context.Response.StatusCode);
        Assert.Equal("""{"error":"The Hub's disk is full; nothing was stored. Ask its operator to make room."}""", Encoding.UTF8.GetString(((MemoryStream)context.Response.Body).ToArray()));
    }

    // The server may close a connection on a request that is no HTTP; it must not answer 5xx, 501 and 507 apart.
    private static async Task TryAsync(HttpClient http, HttpMethod method, string address, string? body, List<string> faults)
    {
        if (!Uri.TryCreate(http.BaseAddress, address, out var uri))
        {
            return;
        }

        using var message = new HttpRequestMessage(method, uri);
        if (body is not null)
        {
            message.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        using var answer = await http.SendAsync(message);
        var text = await answer.Content.ReadAsStringAsync();
        if ((int)answer.StatusCode >= 500 && answer.StatusCode is not HttpStatusCode.NotImplemented)
        {
            faults.Add($"{method} {address[..Math.Min(address.Length, 200)]} {body?[..Math.Min(body.Length, 200)]}: {(int)answer.StatusCode} {text}");
        }
    }
}
