using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Vizsla.Imaging;
using Vizsla.Inference;

namespace Vizsla.Serving.Tests;

/// <summary>A model in an application: asked by handlers, served at an address, watched.</summary>
public sealed class ServedClassifierTests
{
    private static readonly byte[] s_green = TestPictures.Png(10, 200, 30);

    [Fact]
    public void The_pictures_it_was_least_sure_of_are_kept_up_to_their_number()
    {
        using var folder = new Testing.TemporaryFolder();
        var kept = new Pictures.UncertainPictures(folder.Path, most: 2, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        double[] scores = [0.9, 0.5, 0.7, 0.95, 0.4, 0.4];

        foreach (var (i, score) in scores.Index())
        {
            // The last one is sent twice.
            kept.Offer("colors", TestPictures.Png((byte)Math.Min(i, 4), 0, 0), score);
        }

        var names = Directory.GetFiles(folder["colors"]).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(["0.4000", "0.5000"], names.Select(n => n[..6]));
        Assert.Equal(TestPictures.Png(4, 0, 0), File.ReadAllBytes(folder[$"colors/{names[0]}"]));
        Assert.All(names, n => Assert.EndsWith(".png", n, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pictures_are_kept_only_where_it_is_asked_for_and_answers_come_where_they_cannot_be()
    {
        using var folder = new Testing.TemporaryFolder();
        await File.WriteAllTextAsync(folder["file"], "", TestContext.Current.CancellationToken);
        foreach (var (place, isKept) in new[] { (null, false), (folder["file"], false), (folder["unsure"], true) })
        {
            await using var application = await StartAsync(services => services.AddVizslaClassifier("colors", _ => new ColorModel(), options => options.KeepUncertain = place));
            using var client = Client(application);
            await application.Services.GetRequiredService<Queues.ModelCatalog>().Loaded;

            using var answer = await client.PostAsync("/models/colors", new ByteArrayContent(s_green), TestContext.Current.CancellationToken);

            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(isKept, Directory.Exists(folder["unsure/colors"]) && Directory.GetFiles(folder["unsure/colors"], "*.png").Length == 1);
        }

        Assert.Equal(["file", "unsure"], Directory.GetFileSystemEntries(folder.Path).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_handler_and_the_address_give_the_model_s_answer()
    {
        await using var application = await StartAsync(services => services.AddVizslaClassifier("colors", _ => new ColorModel()));
        using var client = Client(application);
        using var image = ImageCodec.Decode(s_green);
        using IImageClassifier alone = new ColorModel();
        var expected = alone.Predict(image, topK: 2);

        var named = application.Services.GetRequiredKeyedService<IImageClassifier>("colors");
        var only = application.Services.GetRequiredService<IImageClassifier>();
        var served = await (await client.PostAsync("/models/colors?top_k=2", new ByteArrayContent(s_green))).Content.ReadAsStringAsync();
        var handled = await (await client.PostAsync("/mine", new ByteArrayContent(s_green))).Content.ReadAsStringAsync();

        Assert.Equal("green", expected[0].Label);
        Assert.Equal(["red", "green", "blue"], named.Labels);
        Assert.Same(named, only);
        Assert.Equal(expected, named.Predict(image, topK: 2));
        Assert.Equal([expected, expected], named.Predict([image, image], topK: 2));
        Assert.Equal(expected, await named.PredictAsync(new MemoryStream(s_green), topK: 2));
        Assert.Equal(expected.Select(p => (p.Label, (double)p.Score)), JsonNode.Parse(served)!.AsArray().Select(p => ((string)p!["label"]!, (double)p["score"]!)), new NearScores());
        Assert.Equal("green", handled);
    }

    [Fact]
    public async Task Handlers_and_addresses_share_one_queue_and_its_batches()
    {
        var model = new ColorModel();
        await using var application = await StartAsync(services => services.AddVizslaClassifier("colors", _ => model, o => (o.MaxBatch, o.MaxDelay) = (4, TimeSpan.FromSeconds(1))));
        using var client = Client(application);
        var classifier = application.Services.GetRequiredService<IImageClassifier>();
        _ = classifier.Labels;
        using var held = model.Hold();
        var first = classifier.PredictAsync(new MemoryStream(s_green));
        model.Began.Wait();
        Task[] others = [.. Enumerable.Range(0, 2).Select(_ => classifier.PredictAsync(new MemoryStream(s_green))), .. Enumerable.Range(0, 2).Select(_ => client.PostAsync("/models/colors", new ByteArrayContent(s_green)))];
        await UntilWaitingAsync(application, 5);

        held.Dispose();
        await Task.WhenAll([first, .. others]);

        Assert.Equal([1, 4], model.Batches);
    }

    [Fact]
    public async Task What_is_refused_says_with_which_status()
    {
        var model = new ColorModel();
        await using var application = await StartAsync(services => services.AddVizslaClassifier("colors", _ => model, o => (o.MaxQueue, o.MaxPictureBytes) = (1, 1000)));
        var classifier = application.Services.GetRequiredService<IImageClassifier>();
        _ = classifier.Labels;

        Assert.Equal((415, "The file is not a picture in a supported format: send JPEG, PNG, WebP, GIF, BMP or TIFF."), await RefusalAsync(classifier, "no picture"u8.ToArray()));
        Assert.Equal((413, "The picture has more than 0 MiB; this server takes no larger ones."), await RefusalAsync(classifier, new byte[2000]));
        Assert.Equal((400, "The request holds no picture."), await RefusalAsync(classifier, []));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => classifier.PredictAsync(new MemoryStream(s_green), topK: 0));
        using var held = model.Hold();
        var first = classifier.PredictAsync(new MemoryStream(s_green));
        model.Began.Wait();
        Assert.Equal((429, "Too many pictures are waiting; try again later."), await RefusalAsync(classifier, s_green));
        held.Dispose();
        await first;
    }

    [Fact]
    public async Task A_cancelled_handler_leaves_the_queue_without_going_through_the_model()
    {
        var model = new ColorModel();
        await using var application = await StartAsync(services => services.AddVizslaClassifier("colors", _ => model, o => o.MaxBatch = 1));
        var classifier = application.Services.GetRequiredService<IImageClassifier>();
        _ = classifier.Labels;
        using var held = model.Hold();
        var first = classifier.PredictAsync(new MemoryStream(s_green));
        model.Began.Wait();
        using var stop = new CancellationTokenSource();
        var cancelled = classifier.PredictAsync(new MemoryStream(s_green), cancellationToken: stop.Token);
        await UntilWaitingAsync(application, 2);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        held.Dispose();
        await first;

        Assert.Equal([1], model.Batches);
    }

    [Fact]
    public async Task Health_follows_the_models_and_who_asks_too_early_waits()
    {
        using var opening = new ManualResetEventSlim();
        await using var application = await StartAsync(services => services.AddVizslaClassifier("colors", _ =>
        {
            opening.Wait();
            return new ColorModel();
        }));
        var health = application.Services.GetRequiredService<HealthCheckService>();
        var early = await health.CheckHealthAsync();
        var waiting = application.Services.GetRequiredService<IImageClassifier>().PredictAsync(new MemoryStream(s_green), topK: 1);

        opening.Set();
        var answer = await waiting;

        Assert.Equal((HealthStatus.Unhealthy, "The models are being loaded, or the application is stopping."), (early.Status, early.Entries["vizsla"].Description));
        Assert.Equal("green", answer[0].Label);
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync()).Status);
    }

    [Fact]
    public async Task A_model_is_opened_anew_when_its_files_are_replaced()
    {
        using var folder = new Vizsla.Testing.TemporaryFolder();
        var file = folder.WriteText("model.txt", "first");
        await using var application = await StartAsync(services => services.AddVizslaClassifier("colors", _ => new NamedModel(File.ReadAllText(file)), files: () => [file]));
        var classifier = application.Services.GetRequiredService<IImageClassifier>();
        var before = classifier.Labels;
        var catalog = application.Services.GetRequiredService<Queues.ModelCatalog>();

        File.WriteAllText(file, "the second");
        await catalog.RefreshAsync();
        await catalog.RefreshAsync();

        Assert.Equal(["first"], before);
        Assert.Equal(["the second"], classifier.Labels);
    }

    [Fact]
    public void Wrong_use_is_refused_in_one_sentence()
    {
        var builder = WebApplication.CreateBuilder();
        Assert.Equal(
            "'my pets' cannot be part of an address. Use letters, digits, '.', '-' and '_'.",
            Assert.Throws<ArgumentException>(() => builder.Services.AddVizslaClassifier("my pets", _ => new ColorModel())).Message);
        builder.Services.AddVizslaClassifier("pets", _ => new ColorModel());
        using var application = builder.Build();
        Assert.Equal(
            "The models are loaded when the application starts; start it before you ask them.",
            Assert.Throws<InvalidOperationException>(() => application.Services.GetRequiredService<IImageClassifier>().Labels).Message);
    }

    [Fact]
    public async Task Two_models_of_one_name_are_refused()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Services.AddVizslaClassifier("pets", _ => new ColorModel()).AddVizslaClassifier("pets", _ => new ColorModel());
        await using var application = builder.Build();

        Assert.Equal("Two models are called 'pets'; give each its own name.", (await Assert.ThrowsAsync<ArgumentException>(() => application.StartAsync())).Message);
    }

    private static async Task<(int, string)> RefusalAsync(IImageClassifier classifier, byte[] data)
    {
        var refused = await Assert.ThrowsAsync<RefusedException>(() => classifier.PredictAsync(new MemoryStream(data)));
        return (refused.Status, refused.Message);
    }

    private static async Task UntilWaitingAsync(WebApplication application, int count)
    {
        var catalog = application.Services.GetRequiredService<Queues.ModelCatalog>();
        while (catalog.Get("colors").Waiting < count)
        {
            await Task.Yield();
        }
    }

    private static async Task<WebApplication> StartAsync(Action<IServiceCollection> add)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        add(builder.Services);
        var application = builder.Build();
        application.MapVizsla();
        application.MapPost("/mine", async ([FromKeyedServices("colors")] IImageClassifier colors, HttpRequest request) => (await colors.PredictAsync(request.Body, topK: 1))[0].Label);
        await application.StartAsync();
        return application;
    }

    private static HttpClient Client(WebApplication application) =>
        new() { BaseAddress = new Uri(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()) };

    private sealed class NearScores : IEqualityComparer<(string, double)>
    {
        public bool Equals((string, double) x, (string, double) y) => x.Item1 == y.Item1 && Math.Abs(x.Item2 - y.Item2) < 1e-6;

        public int GetHashCode((string, double) value) => 0;
    }

    private sealed class NamedModel(string name) : IBatchClassifier
    {
        public IReadOnlyList<string> Labels { get; } = [name];

        public ScoreFunction Function => ScoreFunction.None;

        public ImageTensor Prepare(Image image) => new(1, 1, 1);

        public IReadOnlyList<float[]> ComputeLogits(IReadOnlyList<ImageTensor> pictures) => [.. pictures.Select(_ => new float[1])];

        public void Dispose()
        {
        }
    }
}
