using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Vizsla.Imaging;
using Vizsla.Studio.Hosting;

namespace Vizsla.Studio.Predictions;

/// <summary>Batches pictures of many requests for one model.</summary>
/// <remarks>
/// A request decodes and prepares its picture on its own thread (as many at a time as there are processors) and then waits here; one
/// thread takes what waits, up to <c>max_batch</c> pictures or <c>max_delay</c>, and runs the model. A place is taken before the picture is
/// decoded, so that the waiting room bounds memory too.
/// </remarks>
internal sealed class ModelQueue : IAsyncDisposable
{
    private readonly PictureModel _model;
    private readonly ServingOptions _options;
    private readonly ServingMetrics _metrics;
    private readonly string _name;
    private readonly BlockingCollection<Job> _jobs = [];
    private readonly SemaphoreSlim _preparing = new(Environment.ProcessorCount);
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _waiting;
    private double _secondsPerPicture = 0.05;

    /// <param name="name">The model's name in metrics.</param>
    /// <param name="model">Owned by the queue.</param>
    /// <param name="options">Sizes of batches and of the waiting room.</param>
    /// <param name="metrics">Where batches are counted.</param>
    public ModelQueue(string name, PictureModel model, ServingOptions options, ServingMetrics metrics)
    {
        (_name, _model, _options, _metrics) = (name, model, options, metrics);
        new Thread(Work) { IsBackground = true, Name = $"vizsla model {name}" }.Start();
    }

    /// <summary>The model behind the queue.</summary>
    public PictureModel Model => _model;

    /// <summary>Pictures that wait or are being worked on.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>The logits of one picture.</summary>
    /// <param name="decode">Decodes the picture; called on one of a few threads, after a place in the waiting room was found.</param>
    /// <param name="cancellationToken">Takes the picture out of the queue.</param>
    /// <exception cref="RefusedException">The waiting room is full (429), or the server is stopping (503).</exception>
    public async Task<float[]> LogitsAsync(Func<Image> decode, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _waiting) > _options.MaxQueue)
        {
            Interlocked.Decrement(ref _waiting);
            _metrics.Refused(_name);
            throw new RefusedException(StatusCodes.Status429TooManyRequests, "Too many pictures are waiting; try again later.", RetryAfter());
        }

        try
        {
            using var tensor = await PrepareAsync(decode, cancellationToken).ConfigureAwait(false);
            var job = new Job(tensor);
            if (!TryAdd(job))
            {
                throw new RefusedException(StatusCodes.Status503ServiceUnavailable, "The server is stopping.", TimeSpan.FromSeconds(5));
            }

            using var registration = cancellationToken.Register(job.Cancel);
            return await job.Logits.Task.ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>Stops accepting pictures, finishes those accepted, disposes the model.</summary>
    public async ValueTask DisposeAsync()
    {
        _jobs.CompleteAdding();
        await _finished.Task.ConfigureAwait(false);
        _jobs.Dispose();
        _preparing.Dispose();
        _model.Dispose();
    }

    private async Task<ImageTensor> PrepareAsync(Func<Image> decode, CancellationToken cancellationToken)
    {
        await _preparing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using var image = decode();
            return _model.Prepare(image);
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
        foreach (var group in batch.GroupBy(j => (j.Tensor.Height, j.Tensor.Width)))
        {
            RunAlike([.. group]);
        }
    }

    private void RunAlike(Job[] jobs)
    {
        var start = Stopwatch.GetTimestamp();
        try
        {
            var rows = _model.Logits([.. jobs.Select(j => j.Tensor)]);
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
