using System.Net;
using System.Text;
using Vizsla.Hub;

namespace Vizsla.HubServer.Tests.Pages;

public sealed class PageTests : IAsyncLifetime
{
    private const string Card =
        """
        ---
        license: mit
        tags:
        - <b>pets</b>
        ---
        <!-- Written by a machine;
        proofread it. --> Afterwards.

        # Pets

        ```html
        <!-- an example -->
        ```

        <script>alert(1)</script> and <img src=x onerror=alert(2)>

        [bad](javascript:alert(3)) [other](//evil.example/x) [file](config.json) ![picture](plots/loss.png) <javascript:alert(4)>

        | a | b |
        |---|---|
        | 1 | 2 |
        """;

    private ServerFixture _server = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ServerFixture.StartAsync();
        _http = _server.Http(null);
        var client = _server.Client("hf_anna");
        await client.CreateRepoAsync(RepoId.Model("anna/pets"));
        await client.CreateRepoAsync(RepoId.Model("anna/hidden"), isPrivate: true);
        await client.CommitAsync(RepoId.Model("anna/pets"), [new CommitAdd("README.md", Encoding.UTF8.GetBytes(Card)), new CommitAdd("sub/a <b>.html", "<script>alert(5)</script>"u8.ToArray())], "Add <i>card</i>");
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("[a](b", 4000)]
    [InlineData("> ", 5000)]
    [InlineData("*a", 100_000)]
    public async Task A_card_that_takes_a_renderer_long_is_shown_as_it_is(string part, int count)
    {
        await _server.Client("hf_anna").CommitAsync(RepoId.Model("anna/pets"), [new CommitAdd("README.md", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(part, count))))], "Change");

        var page = await _http.GetStringAsync("/anna/pets");

        Assert.Contains("<article><pre>" + WebUtility.HtmlEncode(part), page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_card_is_shown_without_anything_that_could_run()
    {
        var answer = await _http.GetAsync("/anna/pets");
        var html = await answer.Content.ReadAsStringAsync();

        Assert.Equal("default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", answer.Headers.GetValues("Content-Security-Policy").Single());
        Assert.Contains("<h1>Pets</h1>", html, StringComparison.Ordinal);
        Assert.Contains("<td>1</td>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("proofread", html, StringComparison.Ordinal);
        Assert.Contains("Afterwards.", html, StringComparison.Ordinal);
        Assert.Contains("&lt;!-- an example --&gt;", html, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", html, StringComparison.Ordinal);
        Assert.Contains("Add &lt;i&gt;card&lt;/i&gt;", html, StringComparison.Ordinal);
        Assert.Contains("- &lt;b&gt;pets&lt;/b&gt;", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<img src=x", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("href=\"javascript", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("evil.example", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Links_of_a_card_lead_to_the_repositorys_files()
    {
        var html = await _http.GetStringAsync("/anna/pets");

        Assert.Contains("href=\"/anna/pets/resolve/main/config.json\"", html, StringComparison.Ordinal);
        Assert.Contains("src=\"/anna/pets/resolve/main/plots/loss.png\"", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_a_repository_is_shown_as_text_in_a_sandbox()
    {
        var answer = await _http.GetAsync("/anna/pets/resolve/main/sub/a%20%3Cb%3E.html");

        Assert.Equal("text/plain; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("default-src 'none'; sandbox", answer.Headers.GetValues("Content-Security-Policy").Single());
    }

    [Fact]
    public async Task Folders_can_be_walked_and_names_are_escaped()
    {
        var html = await _http.GetStringAsync("/anna/pets/tree/main/sub");

        Assert.Contains("href=\"/anna/pets/resolve/main/sub/a%20%3Cb%3E.html\"", html, StringComparison.Ordinal);
        Assert.Contains(">a &lt;b&gt;.html<", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Private_repositories_are_listed_for_their_owner_alone()
    {
        using var anna = _server.Http("hf_anna");

        Assert.DoesNotContain("anna/hidden", await _http.GetStringAsync("/"), StringComparison.Ordinal);
        Assert.Contains("anna/hidden", await anna.GetStringAsync("/"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/anna/pets/commits/main", HttpStatusCode.OK)]
    [InlineData("/anna", HttpStatusCode.OK)]
    [InlineData("/static/hub.css", HttpStatusCode.OK)]
    [InlineData("/anna/pets/tree/absent", HttpStatusCode.NotFound)]
    [InlineData("/anna/pets/tree/main/none", HttpStatusCode.NotFound)]
    [InlineData("/anna/none", HttpStatusCode.Unauthorized)]
    [InlineData("/a/b/c/d/e", HttpStatusCode.NotFound)]
    public async Task Pages_answer(string address, HttpStatusCode status)
    {
        Assert.Equal(status, (await _http.GetAsync(address)).StatusCode);
    }
}
