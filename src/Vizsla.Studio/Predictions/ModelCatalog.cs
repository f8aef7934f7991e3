using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Vizsla.Inference;
using Vizsla.Native;
using Vizsla.Primitives;
using Vizsla.Studio.Hosting;
using Vizsla.Studio.Pictures;

namespace Vizsla.Studio.Predictions;

/// <summary>The models of a server by name, loaded one after the other when it starts.</summary>
internal sealed partial class ModelCatalog : BackgroundService, IHostedLifecycleService, IAsyncDisposable
{
    private const int MostOpened = 3;

    private readonly Dictionary<string, ModelQueue> _queues = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task<ModelQueue>> _opened = new(StringComparer.Ordinal);
    private readonly Queue<string> _openedOrder = new();
    private readonly Lock _lock = new();
    private readonly IReadOnlyList<ModelEntry> _entries;
    private readonly ServingOptions _options;
    private readonly ServingMetrics _metrics;
    private readonly DecodeBudget _budget;
    private readonly ILogger<ModelCatalog> _logger;
    private readonly TaskCompletionSource _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _stopping;

    public ModelCatalog(IEnumerable<ModelEntry> entries, ServingOptions options, ServingMetrics metrics, DecodeBudget budget, ILogger<ModelCatalog> logger)
    {
        options.Validate();
        (_entries, _options, _metrics, _budget, _logger) = ([.. entries], options, metrics, budget, logger);
        if (_entries.GroupBy(e => e.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"Two models are called '{twice.Key}'; give each its own name.");
        }

        metrics.Watch(Waiting);
    }

    /// <summary>Ends when every model is loaded; fails as the first one failed.</summary>
    public Task Loaded => _loaded.Task;

    /// <summary>Names in the order given.</summary>
    public IEnumerable<string> Names => _entries.Select(e => e.Name);

    /// <summary>Whether all models can answer.</summary>
    public bool IsReady => _loaded.Task.IsCompletedSuccessfully && !_stopping;

    /// <summary>The limits that requests keep to.</summary>
    public ServingOptions Options => _options;

    /// <summary>The model of that name once it is loaded.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out ModelQueue? queue)
    {
        lock (_lock)
        {
            return _queues.TryGetValue(name, out queue);
        }
    }

    /// <summary>Opens a model that was not given at the start; the last few stay open.</summary>
    /// <param name="name">Its name from then on.</param>
    /// <param name="open">Loads it; slow.</param>
    public Task<ModelQueue> OpenAsync(string name, Func<PictureModel> open)
    {
        lock (_lock)
        {
            if (!_opened.TryGetValue(name, out var opening) || opening.IsFaulted)
            {
                _opened[name] = opening = Task.Factory.StartNew(
                    () => Add(name, open), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
                _openedOrder.Enqueue(name);
                if (_openedOrder.Count > MostOpened && _openedOrder.Dequeue() is var oldest && oldest != name && _opened.Remove(oldest, out var closing))
                {
                    _ = CloseAsync(oldest, closing);
                }
            }

            return opening;
        }
    }

    /// <summary>The likeliest classes of one picture.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="data">The picture's bytes.</param>
    /// <param name="topK">How many classes.</param>
    /// <param name="function">From logits to scores; null as the model says.</param>
    /// <param name="cancellationToken">Takes the picture out of the queue.</param>
    /// <exception cref="RefusedException">There is no such model, it is not ready, or the picture is refused.</exception>
    public async Task<IReadOnlyList<LabelScore>> PredictAsync(
        string name, byte[] data, int topK, ScoreFunction? function, CancellationToken cancellationToken)
    {
        var queue = Get(name);
        var start = Stopwatch.GetTimestamp();
        var logits = await queue.LogitsAsync(data, cancellationToken).ConfigureAwait(false);
        var scores = Scores.Apply(function ?? queue.Model.DefaultFunction, logits);
        var answer = Scores.Top(scores, queue.Model.Labels, topK).Select(p => new LabelScore(p.Label, p.Score)).ToList();
        _metrics.Answered(name, Stopwatch.GetElapsedTime(start));
        Convolutions.Tell(_logger);
        return answer;
    }

    /// <summary>The model of that name.</summary>
    /// <exception cref="RefusedException">There is no such model (404), or it is not loaded yet (503).</exception>
    public ModelQueue Get(string name)
    {
        if (TryGet(name, out var queue))
        {
            return queue;
        }

        throw Names.Contains(name, StringComparer.Ordinal)
            ? new RefusedException(StatusCodes.Status503ServiceUnavailable, $"The model '{name}' is being loaded.", TimeSpan.FromSeconds(2))
            : new RefusedException(StatusCodes.Status404NotFound,
                $"There is no model '{name}'. Known: {string.Join(", ", Names)}.{Suggestion.DidYouMean(name, Names)}");
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _stopping = true;
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        await DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Answers or refuses what was taken, before the server waits for its connections.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        _stopping = true;
        ModelQueue[] queues;
        lock (_lock)
        {
            queues = [.. _queues.Values];
        }

        await Task.WhenAll(queues.Select(q => q.DisposeAsync().AsTask())).ConfigureAwait(false);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        ModelQueue[] queues;
        lock (_lock)
        {
            queues = [.. _queues.Values];
            _queues.Clear();
        }

        await Task.WhenAll(queues.Select(q => q.DisposeAsync().AsTask())).ConfigureAwait(false);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.Factory.StartNew(() => LoadAll(stoppingToken), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void LoadAll(CancellationToken stoppingToken)
    {
        foreach (var entry in _entries)
        {
            stoppingToken.ThrowIfCancellationRequested();
            try
            {
                Add(entry.Name, entry.Open);
            }
            catch (Exception e)
            {
                // Whoever waits for the models learns why; the host stops the application.
                _loaded.TrySetException(e);
                throw;
            }
        }

        _loaded.TrySetResult();
    }

    private ModelQueue Add(string name, Func<PictureModel> open)
    {
        var start = Stopwatch.GetTimestamp();
        var queue = new ModelQueue(name, open(), _options, _metrics, _budget);
        lock (_lock)
        {
            _queues[name] = queue;
        }

        var elapsed = Stopwatch.GetElapsedTime(start);
        ModelLoaded(_logger, name, elapsed);
        Convolutions.Tell(_logger);
        return queue;
    }

    private List<(string, int)> Waiting()
    {
        lock (_lock)
        {
            return [.. _queues.Select(q => (q.Key, q.Value.Waiting))];
        }
    }

    // It may still be loading: only what has been loaded can be closed.
    private async Task CloseAsync(string name, Task<ModelQueue> opening)
    {
        try
        {
            var queue = await opening.ConfigureAwait(false);
            lock (_lock)
            {
                if (_queues.TryGetValue(name, out var shown) && shown == queue)
                {
                    _queues.Remove(name);
                }
            }

            await queue.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // Whoever asked for the model was told; here nobody waits.
            CloseFailed(_logger, name, e);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Model '{Model}' was not open")]
    private static partial void CloseFailed(ILogger logger, string model, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Model '{Model}' loaded in {Elapsed}")]
    private static partial void ModelLoaded(ILogger logger, string model, TimeSpan elapsed);
}
