using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Imaging;

namespace Vizsla.Studio.Tests.Predictions;

public sealed class ServiceTests
{
    private const float Tolerance = 1e-6f;

    [Fact]
    public async Task Raw_bytes_are_answered_with_the_five_likeliest_classes_or_all_there_are()
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel());

        var answer = await PostAsync(server, TestPictures.Png(0, 192, 64));

        Assert.Equal(["green", "blue", "red"], answer.Select(a => a!["label"]!.GetValue<string>()));
        var expected = new[] { 3f, 1f, 0f }.Select(x => MathF.Exp(x - 3)).ToArray();
        Assert.Equal(expected[0] / expected.Sum(), answer[0]!["score"]!.GetValue<float>(), Tolerance);
        Assert.Equal(1f, answer.Sum(a => a!["score"]!.GetValue<float>()), Tolerance);
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("image/webp")]
    [InlineData("text/plain")]
    [InlineData("multipart/form-data")]
    public async Task The_content_decides_whatever_the_header_calls_it(string type)
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel());
        var picture = TestPictures.Png(0, 192, 64);
        var document = JsonSerializer.SerializeToUtf8Bytes(new { inputs = Convert.ToBase64String(picture), parameters = new { top_k = 1 } });

        var counts = new List<int>();
        foreach (var body in new[] { picture, document })
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
            using var response = await server.Client.PostAsync("/models/colors", content);
            counts.Add(JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsArray().Count);
        }

        Assert.Equal([3, 1], counts);
    }

    [Theory]
    [InlineData("GET", "/models/colors", 405, "This address does not support GET; see /openapi.json.")]
    [InlineData("GET", "/api/nowhere", 404, "There is nothing at this address; see /openapi.json.")]
    [InlineData("POST", "/api/predict", 415, "This address does not accept 'text/plain'; see /openapi.json.")]
    public async Task A_request_that_nothing_answers_is_told_so(string method, string address, int status, string message)
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel());
        await using var studio = await RunningServer.StudioAsync(new StudioOptions());

        foreach (var client in new[] { server.Client, studio.Client })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), address);
            if (method == "POST")
            {
                request.Content = new ByteArrayContent(TestPictures.Png(1, 2, 3)) { Headers = { ContentType = MediaTypeHeaderValue.Parse("text/plain") } };
            }

            using var response = await client.SendAsync(request);

            Assert.Equal((status, message), ((int)response.StatusCode, await ErrorAsync(response)));
        }
    }

    [Theory]
    [InlineData("softmax", 0.8438f)]
    [InlineData("sigmoid", 0.9526f)]
    [InlineData("none", 3f)]
    public async Task Parameters_choose_the_number_of_classes_and_the_function(string function, float best)
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel());

        var response = await server.Client.PostAsJsonAsync("/models/colors", new
        {
            inputs = Convert.ToBase64String(TestPictures.Png(0, 192, 64)),
            parameters = new { top_k = 1, function_to_apply = function },
        });

        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsArray();
        Assert.Equal("green", Assert.Single(answer)!["label"]!.GetValue<string>());
        Assert.Equal(best, answer[0]!["score"]!.GetValue<float>(), 1e-3f);
    }

    [Theory]
    [InlineData("""{"inputs": 3}""", "'inputs' must be a string: the picture's bytes in base64.")]
    [InlineData("""{"inputs": "https://example.org/dog.jpg"}""", "'inputs' is not base64. Addresses are not followed: send the picture's bytes.")]
    [InlineData("""{"inputs": "AAAA", "parameters": {"topk": 3}}""", "Unknown parameter 'topk'. Known: function_to_apply, top_k. Did you mean 'top_k'?")]
    [InlineData("""{"inputs": "AAAA", "parameters": {"top_k": 0}}""", "'top_k' must be a whole number of at least 1, got 0.")]
    [InlineData("""{"inputs": "AAAA", "parameters": {"function_to_apply": "max"}}""", "'function_to_apply' must be softmax, sigmoid or none, got \"max\".")]
    [InlineData("{", "The body is not valid JSON, which its content type promises.")]
    [InlineData("[]", """The body must be {"inputs": BASE64, "parameters": {...}}.""")]
    public async Task Malformed_documents_are_answered_with_what_is_wrong(string body, string message)
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel());

        var response = await server.Client.PostAsync("/models/colors", new StringContent(body, MediaTypeHeaderValue.Parse("application/json")));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(message, await ErrorAsync(response));
    }

    [Fact]
    public async Task An_unknown_model_is_answered_with_the_known_ones()
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel());

        var response = await server.Client.PostAsync("/models/colours", new ByteArrayContent(TestPictures.Png(1, 2, 3)));

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("There is no model 'colours'. Known: colors. Did you mean 'colors'?", await ErrorAsync(response));
    }

    [Fact]
    public async Task Many_files_are_answered_each_by_itself()
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel());
        using var form = new MultipartFormDataContent
        {
            { new ByteArrayContent(TestPictures.Png(200, 0, 0)), "files", "a.png" },
            { new ByteArrayContent("no picture"u8.ToArray()), "files", "b.jpg" },
            { new ByteArrayContent(TestPictures.Png(0, 0, 200)), "files", "c.png" },
        };

        var response = await server.Client.PostAsync("/api/predict?top_k=1", form);

        var answers = JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsArray();
        Assert.Equal(["a.png", "b.jpg", "c.png"], answers.Select(a => a!["file"]!.GetValue<string>()));
        Assert.Equal("red", answers[0]!["predictions"]![0]!["label"]!.GetValue<string>());
        Assert.Equal("The file is not a picture in a supported format: send JPEG, PNG, WebP, GIF, BMP or TIFF.", answers[1]!["error"]!.GetValue<string>());
        Assert.Equal("blue", answers[2]!["predictions"]![0]!["label"]!.GetValue<string>());
    }

    [Fact]
    public async Task What_one_file_meets_is_its_own_sentence_whatever_the_exception()
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel { FailingWidth = 5 });
        using var odd = new Image(5, 5);
        using var png = new MemoryStream();
        ImageCodec.SavePng(odd, png);
        using var form = new MultipartFormDataContent
        {
            { new ByteArrayContent(TestPictures.Png(200, 0, 0)), "files", "a.png" },
            { new ByteArrayContent([.. "BM"u8, .. new byte[12], 0xFF, 0xFF, 0xFF, 0x7F, .. new byte[40]]), "files", "lies.bmp" },
            { new ByteArrayContent(png.ToArray()), "files", "fails.png" },
            { new ByteArrayContent(TestPictures.Png(0, 0, 200)), "files", "c.png" },
        };

        var response = await server.Client.PostAsync("/api/predict?top_k=1", form);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var answers = JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsArray();
        Assert.Equal("red", answers[0]!["predictions"]![0]!["label"]!.GetValue<string>());
        Assert.Equal("The picture cannot be read: it is damaged: a BMP whose header has 2147483647 bytes.", answers[1]!["error"]!.GetValue<string>());
        Assert.Equal("The picture cannot be used: a width of 5.", answers[2]!["error"]!.GetValue<string>());
        Assert.Equal("blue", answers[3]!["predictions"]![0]!["label"]!.GetValue<string>());
    }

    [Fact]
    public async Task Health_readiness_metrics_models_and_the_document_are_there()
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel());
        await PostAsync(server, TestPictures.Png(1, 2, 3));

        Assert.Equal("ok", await server.Client.GetStringAsync("/healthz"));
        Assert.Equal("ready", await server.Client.GetStringAsync("/readyz"));
        Assert.Contains("vizsla_pictures_total{", await server.Client.GetStringAsync("/metrics"), StringComparison.Ordinal);
        var models = await server.Client.GetFromJsonAsync<JsonArray>("/api/models");
        Assert.Equal("""[{"name":"colors","ready":true,"labels":["red","green","blue"],"waiting":0}]""", models!.ToJsonString());
        using var document = JsonDocument.Parse(await server.Client.GetStringAsync("/openapi.json"));
        var paths = document.RootElement.GetProperty("paths").EnumerateObject().Select(p => p.Name);
        Assert.Equal("Vizsla", document.RootElement.GetProperty("info").GetProperty("title").GetString());
        Assert.Equal(["/api/models", "/api/predict", "/healthz", "/models/{name}", "/readyz"], paths.Order());
    }

    private static async Task<JsonArray> PostAsync(RunningServer server, byte[] picture)
    {
        var response = await server.Client.PostAsync("/models/colors", new ByteArrayContent(picture));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsArray();
    }

    private static async Task<string> ErrorAsync(HttpResponseMessage response) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!.GetValue<string>();
}
