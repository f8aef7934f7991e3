using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Primitives;
using Vizsla.Serving.Pictures;

namespace Vizsla.Serving.Queues;

/// <summary>Batches pictures of many requests for one model.</summary>
/// <remarks>
/// A request decodes and prepares its picture on its own thread (as many at a time as there are processors) and then waits here; one
/// thread takes what waits, up to <c>max_batch</c> pictures or <c>max_delay</c>, and runs the model. A place is taken before the picture is
/// decoded, and pixels of the budget while it is, so that memory has a limit.
/// </remarks>
internal sealed class ModelQueue : IAsyncDisposable
{
    private static readonly TimeSpan LastPass = TimeSpan.FromSeconds(5);

    private readonly IBatchClassifier _model;
    private readonly ServingOptions _options;
    private readonly ServingMetrics _metrics;
    private readonly DecodeBudget _budget;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _name;
    private readonly BlockingCollection<Job> _jobs = [];
    private readonly SemaphoreSlim _preparing = new(Environment.ProcessorCount);
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _closing = new();
    private Task? _end;
    private volatile bool _closed;
    private int _waiting;
    private double _secondsPerPicture = 0.05;

    /// <param name="name">The model's name in metrics.</param>
    /// <param name="model">Owned by the queue.</param>
    /// <param name="options">Sizes of batches and of the waiting room.</param>
    /// <param name="metrics">Where batches are counted.</param>
    /// <param name="budget">Limits what is decoded at a time.</param>
    public ModelQueue(string name, IBatchClassifier model, ServingOptions options, ServingMetrics metrics, DecodeBudget budget)
    {
        (_name, _model, _options, _metrics, _budget) = (name, model, options, metrics, budget);
        new Thread(Work) { IsBackground = true, Name = $"vizsla model {name}" }.Start();
    }

    /// <summary>The model behind the queue.</summary>
    public IBatchClassifier Model => _model;

    /// <summary>Whether it takes no more pictures.</summary>
    public bool IsClosed => _closed;

    /// <summary>Pictures that wait or are being worked on.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>The logits of one picture.</summary>
    /// <param name="data">The picture's bytes; decoded on one of a few threads, after a place in the waiting room was found.</param>
    /// <param name="cancellationToken">Takes the picture out of the queue.</param>
    /// <exception cref="RefusedException">The picture is refused, the waiting room is full (429), or the server is stopping (503).</exception>
    public Task<float[]> LogitsAsync(byte[] data, CancellationToken cancellationToken) => LogitsAsync(stop => PrepareAsync(data, stop), cancellationToken);

    /// <summary>The logits of one picture that is decoded already.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <param name="cancellationToken">Takes the picture out of the queue.</param>
    /// <exception cref="RefusedException">The picture is refused, the waiting room is full (429), or the server is stopping (503).</exception>
    public Task<float[]> LogitsAsync(Image image, CancellationToken cancellationToken) => LogitsAsync(stop => PrepareAsync(() => Task.FromResult(_model.Prepare(image)), stop), cancellationToken);

    private async Task<float[]> LogitsAsync(Func<CancellationToken, Task<ImageTensor>> prepare, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _waiting) > _options.MaxQueue)
        {
            Leave();
            _metrics.Refused(_name);
            throw new RefusedException(StatusCodes.Status429TooManyRequests, "Too many pictures are waiting; try again later.", RetryAfter());
        }

        try
        {
            if (_closed)
            {
                throw Stopping();
            }

            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
            using var tensor = await prepare(linked.Token).ConfigureAwait(false);
            var job = new Job(tensor);
            if (!TryAdd(job))
            {
                throw Stopping();
            }

            using var registration = linked.Token.Register(job.Cancel);
            return await job.Logits.Task.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Stopping();
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Stops accepting pictures, answers those accepted, and disposes the model.</summary>
    /// <param name="limit">How long to answer; what waits longer is refused with 503.</param>
    public Task CloseAsync(TimeSpan limit)
    {
        lock (_closing)
        {
            return _end ??= EndAsync(limit);
        }
    }

    private async Task EndAsync(TimeSpan limit)
    {
        _closed = true;
        try
        {
            if (Waiting > 0)
            {
                await _empty.Task.WaitAsync(limit).ConfigureAwait(false);
            }
        }
        catch (TimeoutException)
        {
            await _stop.CancelAsync().ConfigureAwait(false);
        }

        _jobs.CompleteAdding();
        try
        {
            // A forward pass cannot be interrupted: where it takes longer, the process ends with it.
            await _finished.Task.WaitAsync(LastPass).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return;
        }

        _jobs.Dispose();
        _model.Dispose();
    }

    /// <summary>Stops accepting pictures, answers those accepted, and disposes the model.</summary>
    public async ValueTask DisposeAsync() => await CloseAsync(_options.DrainTimeout).ConfigureAwait(false);

    private static RefusedException Stopping() => new(StatusCodes.Status503ServiceUnavailable, "The server is stopping.", TimeSpan.FromSeconds(5));

    private void Leave()
    {
        if (Interlocked.Decrement(ref _waiting) == 0 && _closed)
        {
            _empty.TrySetResult();
        }
    }

    private Task<ImageTensor> PrepareAsync(byte[] data, CancellationToken cancellationToken)
    {
        PictureGuard.Check(data, _options);
        return PrepareAsync(
            async () =>
            {
                using var share = await _budget.TakeAsync(data, cancellationToken).ConfigureAwait(false);
                using var image = PictureGuard.Decode(data, _options);
                return _model.Prepare(image);
            },
            cancellationToken);
    }

    private async Task<ImageTensor> PrepareAsync(Func<Task<ImageTensor>> prepare, CancellationToken cancellationToken)
    {
        await _preparing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await prepare().ConfigureAwait(false);
        }
        catch (Exception e) when (e is not (RefusedException or OperationCanceledException))
        {
            // Its own sentence for each picture: those sent with it are answered.
            throw new RefusedException(StatusCodes.Status400BadRequest, $"The picture cannot be used: {((e as ImageFormatException)?.Reason ?? ErrorSentence.Of(e)).TrimEnd('.')}.");
        }
        finally
        {
            _preparing.Release();
        }
    }

    private TimeSpan RetryAfter() =>
        TimeSpan.FromSeconds(Math.Clamp(Volatile.Read(ref _secondsPerPicture) * _options.MaxQueue, 1, 60));

    private void Work()
    {
        List<Job> batch = [];
        while (Gather(batch))
        {
            Run(batch);
            batch.Clear();
        }

        _finished.SetResult();
    }

    /// <summary>Waits for a first picture, then for more until the batch is full or the delay is over.</summary>
    /// <returns>False when nothing will come any more.</returns>
    private bool Gather(List<Job> batch)
    {
        if (!_jobs.TryTake(out var first, Timeout.Infinite))
        {
            return false;
        }

        Take(batch, first);
        var start = Stopwatch.GetTimestamp();
        // When nobody else is on the way, waiting longer would only cost time.
        while (batch.Count < _options.MaxBatch && batch.Count < Waiting)
        {
            var left = _options.MaxDelay - Stopwatch.GetElapsedTime(start);
            if (!_jobs.TryTake(out var next, left > TimeSpan.Zero ? left : TimeSpan.Zero))
            {
                break;
            }

            Take(batch, next);
        }

        return true;
    }

    // A job whose request was cancelled is passed over: its floats are gone.
    private static void Take(List<Job> batch, Job job)
    {
        if (job.TryTake())
        {
            batch.Add(job);
        }
    }

    private bool TryAdd(Job job)
    {
        try
        {
            _jobs.Add(job);
            return true;
        }
        catch (InvalidOperationException)
        {
            // Completed, or disposed after completion: the server is stopping.
            return false;
        }
    }

    private void Run(List<Job> batch)
    {
        foreach (var group in batch.GroupBy(j => (j.Tensor.Channels, j.Tensor.Height, j.Tensor.Width)))
        {
            RunAlike([.. group]);
        }
    }

    private void RunAlike(Job[] jobs)
    {
        var start = Stopwatch.GetTimestamp();
        try
        {
            var rows = _model.ComputeLogits([.. jobs.Select(j => j.Tensor)]);
            var elapsed = Stopwatch.GetElapsedTime(start);
            Volatile.Write(ref _secondsPerPicture, elapsed.TotalSeconds / jobs.Length);
            _metrics.Batch(_name, jobs.Length, elapsed);
            for (var i = 0; i < jobs.Length; i++)
            {
                jobs[i].Logits.SetResult(rows[i]);
            }
        }
        catch (Exception e)
        {
            // The edge between the requests and the model: each request answers for itself, the worker lives on.
            foreach (var job in jobs)
            {
                job.Logits.TrySetException(e);
            }
        }
    }

    /// <summary>A picture on its way; either the worker takes it or its request's cancellation, never both.</summary>
    private sealed class Job(ImageTensor tensor)
    {
        private int _taken;

        public ImageTensor Tensor { get; } = tensor;

        public TaskCompletionSource<float[]> Logits { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool TryTake() => Interlocked.Exchange(ref _taken, 1) == 0;

        public void Cancel()
        {
            if (TryTake())
            {
                Logits.SetCanceled();
            }
        }
    }
}
