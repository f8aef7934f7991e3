using System.Net;

namespace Vizsla.Studio.Tests.Predictions;

public sealed class ModelQueueTests
{
    [Fact]
    public async Task Requests_that_wait_go_through_the_model_together()
    {
        var model = new ColorModel();
        await using var server = await RunningServer.ServeAsync(model, o => (o.MaxBatch, o.MaxDelay) = (4, TimeSpan.FromSeconds(1)));
        using var held = model.Hold();
        var first = PostAsync(server);
        model.Began.Wait();
        var others = Enumerable.Range(0, 8).Select(_ => PostAsync(server)).ToList();
        await UntilAsync(server, waiting: 9);

        held.Dispose();
        var answers = await Task.WhenAll(others.Append(first));

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        Assert.Equal([1, 4, 4], model.Batches);
    }

    [Fact]
    public async Task A_full_waiting_room_answers_when_to_try_again()
    {
        var model = new ColorModel();
        await using var server = await RunningServer.ServeAsync(model, o => o.MaxQueue = 2);
        using var held = model.Hold();
        var taken = new[] { PostAsync(server), PostAsync(server) };
        await UntilAsync(server, waiting: 2);

        var refused = await PostAsync(server);

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        held.Dispose();
        Assert.All(await Task.WhenAll(taken), a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
    }

    [Fact]
    public async Task A_cancelled_request_leaves_the_queue_without_going_through_the_model()
    {
        var model = new ColorModel();
        await using var server = await RunningServer.ServeAsync(model, o => o.MaxBatch = 1);
        using var held = model.Hold();
        var first = PostAsync(server);
        model.Began.Wait();
        using var cancel = new CancellationTokenSource();
        var cancelled = server.Client.PostAsync("/models/colors", new ByteArrayContent(TestPictures.Png(1, 2, 3)), cancel.Token);
        await UntilAsync(server, waiting: 2);

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        await UntilAsync(server, waiting: 1);
        held.Dispose();
        await first;

        Assert.Equal([1], model.Batches);
    }

    [Fact]
    public async Task A_stopping_server_finishes_what_it_took()
    {
        var model = new ColorModel();
        var server = await RunningServer.ServeAsync(model);
        using var held = model.Hold();
        var taken = PostAsync(server);
        model.Began.Wait();

        var stop = server.Application.StopAsync();
        await UntilStoppingAsync(server);
        held.Dispose();

        Assert.Equal(HttpStatusCode.OK, (await taken).StatusCode);
        await stop;
        await server.DisposeAsync();
    }

    [Fact]
    public async Task What_cannot_be_finished_within_the_limit_is_refused_and_the_server_ends()
    {
        var model = new ColorModel();
        var server = await RunningServer.ServeAsync(model, o => (o.MaxBatch, o.DrainTimeout) = (1, TimeSpan.FromMilliseconds(100)));
        using var held = model.Hold();
        var first = PostAsync(server);
        model.Began.Wait();
        var others = Enumerable.Range(0, 12).Select(_ => PostAsync(server)).ToList();
        await UntilAsync(server, waiting: 13);

        var stop = server.Application.StopAsync();
        var refused = await Task.WhenAll(others);
        held.Dispose();

        Assert.All(refused, a => Assert.Equal(HttpStatusCode.ServiceUnavailable, a.StatusCode));
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        await stop;
        await server.DisposeAsync();
    }

    private static Task<HttpResponseMessage> PostAsync(RunningServer server) =>
        server.Client.PostAsync("/models/colors", new ByteArrayContent(TestPictures.Png(1, 2, 3)));

    private static async Task UntilAsync(RunningServer server, int waiting)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!(await server.Client.GetStringAsync("/api/models", limit.Token)).Contains($"\"waiting\":{waiting}}}", StringComparison.Ordinal))
        {
            await Task.Yield();
        }
    }

    private static async Task UntilStoppingAsync(RunningServer server)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while ((await server.Client.GetAsync(new Uri("/readyz", UriKind.Relative), limit.Token)).StatusCode != HttpStatusCode.ServiceUnavailable)
        {
            limit.Token.ThrowIfCancellationRequested();
        }
    }
}
