using System.Net;
using System.Text.Json.Nodes;
using Vizsla.Inference;
using Vizsla.Serving;

namespace Vizsla.Studio.Tests.Hosting;

public sealed class SafetyTests
{
    [Theory]
    [InlineData("127.0.0.1", HttpStatusCode.OK)]
    [InlineData("localhost:8080", HttpStatusCode.OK)]
    [InlineData("[::1]", HttpStatusCode.OK)]
    [InlineData("pets.example.org", HttpStatusCode.OK)]
    [InlineData("evil.example.org", HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost.evil.example.org", HttpStatusCode.MisdirectedRequest)]
    [InlineData("192.168.1.1", HttpStatusCode.MisdirectedRequest)]
    public async Task Only_its_own_names_are_answered(string host, HttpStatusCode expected)
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel(), host: h => h.AllowedHosts = ["pets.example.org"]);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/models");
        request.Headers.Host = host;

        var response = await server.Client.SendAsync(request);

        Assert.Equal(expected, response.StatusCode);
    }

    [Theory]
    [InlineData("http://evil.example.org", HttpStatusCode.Forbidden)]
    [InlineData("null", HttpStatusCode.Forbidden)]
    [InlineData(null, HttpStatusCode.OK)]
    public async Task A_page_from_elsewhere_may_not_send_pictures(string? origin, HttpStatusCode expected)
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel());
        using var request = new HttpRequestMessage(HttpMethod.Post, "/models/colors") { Content = new ByteArrayContent(TestPictures.Png(1, 2, 3)) };
        request.Headers.TryAddWithoutValidation("Origin", origin ?? server.Address.GetLeftPart(UriPartial.Authority));

        var response = await server.Client.SendAsync(request);

        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task With_a_token_every_request_but_health_shows_it()
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel(), host: h => h.Token = "secret");

        var without = await server.Client.GetAsync("/api/models");
        var wrong = await SendAsync(server, r => r.Headers.Authorization = new("Bearer", "guess"));
        var right = await SendAsync(server, r => r.Headers.Authorization = new("Bearer", "secret"));
        var health = await server.Client.GetAsync("/healthz");

        Assert.Equal(
            [HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized, HttpStatusCode.OK, HttpStatusCode.OK],
            [without.StatusCode, wrong.StatusCode, right.StatusCode, health.StatusCode]);
    }

    [Fact]
    public async Task A_browser_that_opened_the_address_with_the_token_keeps_a_cookie_without_it()
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel(), host: h => h.Token = "secret");

        var opened = await server.Client.GetAsync("/api/models?token=secret&x=1");
        var cookie = Assert.Single(opened.Headers.GetValues("Set-Cookie"));
        var next = await SendAsync(server, r => r.Headers.Add("Cookie", cookie.Split(';')[0]));

        Assert.Equal(HttpStatusCode.Redirect, opened.StatusCode);
        Assert.Equal("/api/models?x=1", opened.Headers.Location!.ToString());
        Assert.DoesNotContain("secret", cookie, StringComparison.Ordinal);
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
    }

    [Fact]
    public void Listening_beyond_this_computer_asks_for_a_decision()
    {
        var host = new HostOptions { Address = IPAddress.Any };

        var refused = Assert.Throws<ArgumentException>(() => ServeApplication.Create(Array.Empty<ServedModel>(), host, new ServingOptions()));

        Assert.Equal(
            "Listening on 0.0.0.0 lets every computer that reaches this one look at the runs and pictures and use the models. "
            + "Give --token SECRET, which each request must show, or --no_token to go without.", refused.Message);
    }

    [Fact]
    public async Task No_header_tells_of_the_server_and_nothing_from_elsewhere_may_load()
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel());

        var response = await server.Client.GetAsync("/healthz");

        Assert.False(response.Headers.Contains("Server"));
        Assert.Contains("default-src 'self'; script-src 'self';", Assert.Single(response.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
    }

    [Fact]
    public async Task A_fault_inside_is_answered_without_a_word_about_the_inside()
    {
        await using var server = await RunningServer.ServeAsync(new FaultyModel());

        var response = await server.Client.PostAsync("/models/colors", new ByteArrayContent(TestPictures.Png(1, 2, 3)));

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("The server failed to answer; its log says why.",
            JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!.GetValue<string>());
    }

    private static async Task<HttpResponseMessage> SendAsync(RunningServer server, Action<HttpRequestMessage> prepare)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/models");
        prepare(request);
        return await server.Client.SendAsync(request);
    }

    private sealed class FaultyModel : IBatchClassifier
    {
        public IReadOnlyList<string> Labels { get; } = ["only"];

        public ScoreFunction Function => ScoreFunction.Softmax;

        public Imaging.ImageTensor Prepare(Imaging.Image image) => new(3, 1, 1);

        public IReadOnlyList<float[]> ComputeLogits(IReadOnlyList<Imaging.ImageTensor> pictures) =>
            throw new InvalidOperationException("at /home/somebody/secret.cs line 3");

        public void Dispose()
        {
        }
    }
}
