using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Primitives;
using Vizsla.Serving.Pictures;

namespace Vizsla.Serving.Queues;

/// <summary>The models of a server by name, loaded one after the other when it starts, and anew when their files were replaced.</summary>
internal sealed partial class ModelCatalog : BackgroundService, IHostedLifecycleService, IAsyncDisposable
{
    private const int MostOpened = 3;

    private static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, LoadedModel> _models = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task<ModelQueue>> _opened = new(StringComparer.Ordinal);
    private readonly Queue<string> _openedOrder = new();
    private readonly Lock _lock = new();
    private readonly IReadOnlyList<ModelEntry> _entries;
    private readonly ServingOptions _options;
    private readonly UncertainPictures? _uncertain;
    private readonly ServingMetrics _metrics;
    private readonly DecodeBudget _budget;
    private readonly IServiceProvider _services;
    private readonly ILogger<ModelCatalog> _logger;
    private readonly TaskCompletionSource _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _starting;
    private bool _stopping;

    public ModelCatalog(IEnumerable<ModelEntry> entries, ServingOptions options, ServingMetrics metrics, DecodeBudget budget, IServiceProvider services, ILogger<ModelCatalog> logger)
    {
        options.Validate();
        (_entries, _options, _metrics, _budget, _services, _logger) = ([.. entries], options, metrics, budget, services, logger);
        if (_entries.GroupBy(e => e.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"Two models are called '{twice.Key}'; give each its own name.");
        }

        _uncertain = options.KeepUncertain is { } folder ? new UncertainPictures(folder, options.MaxUncertain, logger) : null;
        metrics.Watch(Waiting);
    }

    /// <summary>Ends when every model is loaded; fails as the first one failed.</summary>
    public Task Loaded => _loaded.Task;

    /// <summary>The same for who may ask before the application runs.</summary>
    /// <exception cref="InvalidOperationException">It does not: nothing would ever be loaded.</exception>
    public Task Opened => _starting ? Loaded : throw new InvalidOperationException("The models are loaded when the application starts; start it before you ask them.");

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
            queue = _models.GetValueOrDefault(name)?.Queue;
            return queue is not null;
        }
    }

    /// <summary>Opens a model that was not given at the start; the last few stay open.</summary>
    /// <param name="entry">Its name from then on, and how to load it.</param>
    public Task<ModelQueue> OpenAsync(ModelEntry entry)
    {
        lock (_lock)
        {
            if (!_opened.TryGetValue(entry.Name, out var opening) || opening.IsFaulted)
            {
                _opened[entry.Name] = opening = Task.Factory.StartNew(
                    () => Add(entry), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
                _openedOrder.Enqueue(entry.Name);
                if (_openedOrder.Count > MostOpened && _openedOrder.Dequeue() is var oldest && oldest != entry.Name && _opened.Remove(oldest, out var closing))
                {
                    _ = CloseAsync(oldest, closing);
                }
            }

            return opening;
        }
    }

    /// <summary>The most likely classes of one picture.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="data">The picture's bytes.</param>
    /// <param name="topK">How many classes.</param>
    /// <param name="function">From logits to scores; null as the model says.</param>
    /// <param name="cancellationToken">Takes the picture out of the queue.</param>
    /// <exception cref="RefusedException">There is no such model, it is not ready, or the picture is refused.</exception>
    public Task<IReadOnlyList<Prediction>> PredictAsync(string name, byte[] data, int topK, ScoreFunction? function, CancellationToken cancellationToken) =>
        PredictAsync(name, queue => queue.LogitsAsync(data, cancellationToken), topK, function, data);

    /// <summary>The most likely classes of one picture that is decoded already.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <param name="topK">How many classes.</param>
    /// <param name="cancellationToken">Takes the picture out of the queue.</param>
    /// <exception cref="RefusedException">There is no such model, it is not ready, or the picture is refused.</exception>
    public Task<IReadOnlyList<Prediction>> PredictAsync(string name, Image image, int topK, CancellationToken cancellationToken) =>
        PredictAsync(name, queue => queue.LogitsAsync(image, cancellationToken), topK, function: null);

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

    /// <summary>Loads the models anew whose files were replaced, each beside the one that answers, which takes its place when it can answer.</summary>
    /// <remarks>Files count as replaced when they are other ones than those loaded and have not changed since the call before: half a copy is not read.</remarks>
    internal async Task RefreshAsync()
    {
        LoadedModel[] models;
        lock (_lock)
        {
            models = [.. _models.Values];
        }

        foreach (var model in models.Where(m => m.IsReplaced()))
        {
            await Task.Factory.StartNew(() => Replace(model), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        }
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
            queues = [.. _models.Values.Select(m => m.Queue)];
        }

        await Task.WhenAll(queues.Select(q => q.DisposeAsync().AsTask())).ConfigureAwait(false);
    }

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        _starting = true;
        return Task.CompletedTask;
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        ModelQueue[] queues;
        lock (_lock)
        {
            queues = [.. _models.Values.Select(m => m.Queue)];
            _models.Clear();
        }

        await Task.WhenAll(queues.Select(q => q.DisposeAsync().AsTask())).ConfigureAwait(false);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Factory.StartNew(() => LoadAll(stoppingToken), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        using var timer = new PeriodicTimer(RefreshInterval);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            await RefreshAsync().ConfigureAwait(false);
        }
    }

    private void LoadAll(CancellationToken stoppingToken)
    {
        foreach (var entry in _entries)
        {
            stoppingToken.ThrowIfCancellationRequested();
            try
            {
                Add(entry);
            }
            catch (Exception e)
            {
                // Whoever waits for the models learns why; the host stops the application, which has not done what it was started for.
                _loaded.TrySetException(e);
                Environment.ExitCode = 1;
                throw;
            }
        }

        _loaded.TrySetResult();
    }

    // A queue that closes because another one took its place sends its requests there.
    private async Task<IReadOnlyList<Prediction>> PredictAsync(string name, Func<ModelQueue, Task<float[]>> ask, int topK, ScoreFunction? function, byte[]? data = null)
    {
        var start = Stopwatch.GetTimestamp();
        for (var queue = Get(name); ;)
        {
            try
            {
                var logits = await ask(queue).ConfigureAwait(false);
                var answer = Scores.Top(Scores.Apply(function ?? queue.Model.Function, logits), queue.Model.Labels, topK);
                if (data is not null && _uncertain is { } kept && queue.Model.Function != ScoreFunction.None)
                {
                    var score = Scores.Apply(queue.Model.Function, logits).Max();

                    // Before the answer, so that no more pictures wait for the disk than there are requests.
                    await Task.Run(() => kept.Offer(name, data, score), CancellationToken.None).ConfigureAwait(false);
                }

                _metrics.Answered(name, Stopwatch.GetElapsedTime(start));
                return answer;
            }
            catch (RefusedException) when (queue.IsClosed && TryGet(name, out var next) && next != queue)
            {
                queue = next;
            }
        }
    }

    private ModelQueue Add(ModelEntry entry)
    {
        var start = Stopwatch.GetTimestamp();
        var model = Load(entry);
        lock (_lock)
        {
            _models[entry.Name] = model;
        }

        var elapsed = Stopwatch.GetElapsedTime(start);
        ModelLoaded(_logger, entry.Name, elapsed);
        return model.Queue;
    }

    // The state is looked at first: files that change while they are read are read once more.
    private LoadedModel Load(ModelEntry entry)
    {
        var state = entry.State();
        return new(entry, new ModelQueue(entry.Name, entry.Open(_services), _options, _metrics, _budget), state);
    }

    private void Replace(LoadedModel model)
    {
        var start = Stopwatch.GetTimestamp();
        LoadedModel next;
        try
        {
            next = Load(model.Entry);
        }
        catch (Exception e)
        {
            // The model that is loaded goes on answering, until the files are others again.
            ReplacementFailed(_logger, model.Entry.Name, ErrorSentence.Of(e));
            return;
        }

        bool isWanted;
        lock (_lock)
        {
            isWanted = !_stopping && _models.GetValueOrDefault(model.Entry.Name) == model;
            if (isWanted)
            {
                _models[model.Entry.Name] = next;
                if (_opened.ContainsKey(model.Entry.Name))
                {
                    _opened[model.Entry.Name] = Task.FromResult(next.Queue);
                }
            }
        }

        // What it has taken is answered before it goes.
        _ = (isWanted ? model : next).Queue.DisposeAsync().AsTask();
        if (isWanted)
        {
            var elapsed = Stopwatch.GetElapsedTime(start);
            ModelLoaded(_logger, model.Entry.Name, elapsed);
        }
    }

    private List<(string, int)> Waiting()
    {
        lock (_lock)
        {
            return [.. _models.Select(m => (m.Key, m.Value.Queue.Waiting))];
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
                if (_models.TryGetValue(name, out var shown) && shown.Queue == queue)
                {
                    _models.Remove(name);
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "The files of model '{Model}' were replaced and cannot be loaded; the model loaded before goes on answering. {Problem}")]
    private static partial void ReplacementFailed(ILogger logger, string model, string problem);

    /// <summary>A model that answers, and the state of the files that it was loaded from.</summary>
    private sealed class LoadedModel(ModelEntry entry, ModelQueue queue, string? state)
    {
        private string? _seen = state;
        private string? _tried = state;

        public ModelEntry Entry => entry;

        public ModelQueue Queue => queue;

        /// <summary>Whether there are other files, which were the same the last time; true once for each state of them.</summary>
        public bool IsReplaced()
        {
            var now = entry.State();
            var isSettled = now is not null && now == _seen && now != _tried;
            (_seen, _tried) = (now, isSettled ? now : _tried);
            return isSettled;
        }
    }
}
