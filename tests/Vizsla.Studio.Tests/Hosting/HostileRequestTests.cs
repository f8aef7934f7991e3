using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Hosting;

/// <summary>Requests and files that nobody means: each is refused with a sentence, none is an error of the server.</summary>
public sealed class HostileRequestTests : IDisposable
{
    private static readonly string[] Hostile =
    [
        "%00", "%0A", "%0D%0AX-Forged:%201", "%1B%5B31m", "%FF", "%ED%A0%80", "..", "%2E%2E%2F%2E%2E", "%2F", "%5C", "%25", "%22", "%F0%9F%90%95", "1e308", "-1", "99999999999999999999", "NaN", "true", "null", "[]", "[[[]]]",
        "[%7B%22transform%22:%22Resize%22,%22size%22:1e308%7D]", "[%7B%22transform%22:%22Resize%22,%22transform%22:%22Pad%22%7D]", "[%7B%22transform%22:%22%5Cud800%22%7D]", new string('a', 3000),
    ];

    private static readonly string[] Bodies =
    [
        "", "{", "[]", "null", "{\"inputs\":\"\\ud800\"}", "{\"inputs\":\"AAAA\",\"inputs\":\"AAAA\"}", "{\"inputs\":\"AAAA\",\"parameters\":{\"top_k\":1e308}}", "{\"inputs\":\"AAAA\",\"parameters\":{\"function_to_apply\":\"\\udc00\"}}",
        "{\"\\ud800\":1}", "{\"inputs\":\"AAAA\",\"parameters\":{\"top_k\":99999999999999999999}}", "--x\r\n", new string('[', 20_000),
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Hostile_addresses_of_the_studio_are_no_error_of_the_server()
    {
        _folder.WriteText("runs/a/events.jsonl", "");
        await using var server = await RunningServer.StudioAsync(new StudioOptions { Runs = _folder["runs"] });
        string[] routes =
        [
            "/{0}", "/runs/{0}", "/runs-plots/{0}?file={0}", "/runs-plots/a?file={0}", "/pictures/{0}", "/pictures/sample?side={0}", "/data/picture?split={0}&row={0}&side={0}&run={0}", "/predict/seen?model={0}&picture={0}",
            "/predict/looked?model={0}&picture=sample&label={0}", "/predict/drawn?animal={0}", "/transforms/picture?picture={0}&seed=1&pipeline=[]", "/transforms/picture?picture=sample&seed={0}&pipeline=[]",
            "/transforms/picture?picture=sample&seed=1&pipeline={0}", "/transforms/picture?picture=sample&seed=1&pipeline=[]&steps={0}&crop={0}&side={0}", "/models/{0}", "/api/{0}", "/_content/{0}", "/?token={0}",
        ];

        Assert.Empty(await FaultsAsync(server.Client, routes));
    }

    [Fact]
    public async Task Hostile_bodies_of_the_service_are_no_error_of_the_server()
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel());
        var faults = await FaultsAsync(server.Client, ["/models/{0}", "/api/models?x={0}", "/{0}", "/openapi.json?x={0}"]);
        foreach (var address in new[] { "/models/colors", "/models/colors?top_k=1e308", "/models/colors?top_k=-1", "/models/%00", "/api/predict", "/api/predict?model=%00", "/api/predict?top_k=-1" })
        {
            foreach (var body in Bodies)
            {
                foreach (var type in new[] { "application/json", "text/plain", "multipart/form-data", "multipart/form-data; boundary=x", "multipart/form-data; boundary=\"\"" })
                {
                    using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
                    content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
                    using var answer = await server.Client.PostAsync(address, content);
                    if ((int)answer.StatusCode >= 500)
                    {
                        faults.Add($"POST {address} {type} {body[..Math.Min(body.Length, 100)]}: {(int)answer.StatusCode}");
                    }
                }
            }
        }

        Assert.Empty(faults);
    }

    [Fact]
    public async Task A_form_is_counted_while_it_is_read_and_one_cut_short_is_refused()
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel(), o => (o.MaxRequestBytes, o.MaxPicturesPerRequest) = (1 << 20, 3));
        using var large = new MultipartFormDataContent { { new ByteArrayContent(new byte[2 << 20]), "files", "a.png" } };
        using var many = new MultipartFormDataContent();
        for (var i = 0; i < 4; i++)
        {
            many.Add(new ByteArrayContent(TestPictures.Png(1, 2, 3)), "files", $"{i}.png");
        }

        using var cut = new ByteArrayContent("--x\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.png\"\r\n\r\nabc"u8.ToArray());
        cut.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");

        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "The request has more than 1 MiB; send fewer pictures in one."), await ErrorAsync(server, "/api/predict", large));
        Assert.Equal((HttpStatusCode.BadRequest, "Send 1 to 3 files in one request, got more."), await ErrorAsync(server, "/api/predict", many));
        Assert.Equal((HttpStatusCode.BadRequest, "The form cannot be read: it is truncated or malformed."), await ErrorAsync(server, "/api/predict", cut));
    }

    [Fact]
    public async Task A_form_sent_to_a_model_is_told_where_forms_go()
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel());
        using var form = new MultipartFormDataContent { { new ByteArrayContent(TestPictures.Png(1, 2, 3)), "files", "a.png" } };

        Assert.Equal((HttpStatusCode.UnsupportedMediaType, "This address takes the picture itself, not a form: send its bytes."), await ErrorAsync(server, "/models/colors", form));
    }

    [Fact]
    public async Task The_number_of_classes_is_read_from_the_address_too()
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel());

        using var answer = await server.Client.PostAsync("/models/colors?top_k=1", new ByteArrayContent(TestPictures.Png(0, 192, 64)));

        Assert.Single(JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsArray());
        Assert.Equal((HttpStatusCode.BadRequest, "'top_k' must be at least 1, got 0."), await ErrorAsync(server, "/models/colors?top_k=0", new ByteArrayContent(TestPictures.Png(1, 2, 3))));
    }

    [Fact]
    public async Task Readiness_asks_for_no_token_and_the_document_names_the_scheme()
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel(), host: h => h.Token = "secret");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/openapi.json");
        request.Headers.Authorization = new("Bearer", "secret");

        using var ready = await server.Client.GetAsync("/readyz");
        using var document = await server.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        Assert.Equal("bearer", (string?)JsonNode.Parse(await document.Content.ReadAsStringAsync())!["components"]!["securitySchemes"]!["bearer"]!["scheme"]);
    }

    [Fact]
    public async Task A_page_of_an_allowed_origin_may_call()
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel(), host: h => h.AllowedOrigins = ["https://pets.example.org"]);
        using var asked = new HttpRequestMessage(HttpMethod.Options, "/models/colors");
        asked.Headers.Add("Origin", "https://pets.example.org");
        asked.Headers.Add("Access-Control-Request-Method", "POST");
        using var sent = new HttpRequestMessage(HttpMethod.Post, "/models/colors") { Content = new ByteArrayContent(TestPictures.Png(1, 2, 3)) };
        sent.Headers.Add("Origin", "https://pets.example.org");

        using var allowed = await server.Client.SendAsync(asked);
        using var answered = await server.Client.SendAsync(sent);

        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.OK), (allowed.StatusCode, answered.StatusCode));
        Assert.All([allowed, answered], a => Assert.Equal("https://pets.example.org", Assert.Single(a.Headers.GetValues("Access-Control-Allow-Origin"))));
        Assert.Equal("--allowed_origin takes an origin such as https://pets.example.org, got '*'.", Assert.Throws<ArgumentException>(() => new HostOptions { AllowedOrigins = ["*"] }.Validate()).Message);
    }

    [Theory]
    [InlineData("""{"event": "log", "time": 1e308, "step": 1e308, "epoch": 1e308, "max_steps": -1e308, "values": {"loss": 1e308}}""")]
    [InlineData("""{"event": "log", "time": -1, "step": -5, "values": {"loss": 1, "loss": 2}}""")]
    [InlineData("""{"event": "failed", "time": "9999-99-99", "message": "\ud800"}""")]
    [InlineData("""{"event": "push", "time": NaN, "step": NaN, "message": 7}""")]
    [InlineData("[]")]
    public async Task Hostile_events_of_a_run_hide_neither_it_nor_others(string line)
    {
        _folder.WriteText("runs/a/events.jsonl", line + "\n");
        _folder.WriteText("runs/a/all_results.json", """{"train_runtime": 1e308}""");
        _folder.WriteText("runs/a/training_args.json", """{"a": "\udc00", "b": 1, "b": 2}""");
        _folder.WriteText("runs/b/events.jsonl", """{"event": "train_begin", "time": 0, "max_steps": 3}""" + "\n");
        var library = new Vizsla.Studio.Runs.RunLibrary(new StudioOptions { Runs = _folder["runs"] }, TimeProvider.System);
        await using var server = await RunningServer.StudioAsync(new StudioOptions { Runs = _folder["runs"] });

        Assert.Equal(["a", "b"], library.Look().Select(r => r.Name).Order());
        using var page = await server.Client.GetAsync("/runs/a");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }

    private static async Task<List<string>> FaultsAsync(HttpClient client, string[] routes)
    {
        var faults = new List<string>();
        foreach (var route in routes)
        {
            foreach (var value in Hostile)
            {
                var address = string.Format(CultureInfo.InvariantCulture, route, value);
                if (!Uri.TryCreate(client.BaseAddress, address, out var uri))
                {
                    continue;
                }

                using var answer = await client.GetAsync(uri);
                if ((int)answer.StatusCode >= 500)
                {
                    faults.Add($"GET {address[..Math.Min(address.Length, 160)]}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
                }
            }
        }

        return faults;
    }

    private static async Task<(HttpStatusCode, string)> ErrorAsync(RunningServer server, string address, HttpContent content)
    {
        using var answer = await server.Client.PostAsync(address, content);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["error"]!.GetValue<string>());
    }
}
