namespace Vizsla.Loading;

/// <summary>Threads that load the samples of an epoch in order, at most so many batches ahead of the reader.</summary>
internal sealed class WorkerCrew : IDisposable
{
    // Guards every field below and the counters of the batches in flight; pulsed when any of them changes.
    private readonly object _gate = new();
    private readonly Queue<PendingBatch> _inFlight = new();
    private readonly Func<int, PendingBatch> _newBatch;
    private readonly SampleLoader _explainer;
    private readonly CancellationToken _cancellationToken;
    private readonly CancellationTokenRegistration _wakeUp;
    private readonly Thread[] _threads;
    private readonly int _prefetch;
    private readonly int _endBatch;
    private int _nextBatch;
    private int _nextPosition;
    private PendingBatch? _filling;
    private bool _stopped;

    /// <summary>Starts the threads.</summary>
    /// <param name="options">The loader's options.</param>
    /// <param name="endBatch">Number behind the last batch.</param>
    /// <param name="newBatch">Makes room for a batch by its number.</param>
    /// <param name="newLoader">Makes the sample loader of a thread.</param>
    /// <param name="cancellationToken">Stops the threads.</param>
    public WorkerCrew(
        BatchLoaderOptions options, int endBatch, Func<int, PendingBatch> newBatch, Func<SampleLoader> newLoader, CancellationToken cancellationToken)
    {
        (_newBatch, _endBatch, _nextBatch, _prefetch, _cancellationToken) = (newBatch, endBatch, options.StartBatch, options.Prefetch, cancellationToken);
        _explainer = newLoader();
        _wakeUp = cancellationToken.Register(Stop);
        _threads = new Thread[options.Workers];
        for (var i = 0; i < _threads.Length; i++)
        {
            var loader = newLoader();
            _threads[i] = new Thread(() => Work(loader)) { IsBackground = true, Name = $"Vizsla loader {i}" };
            _threads[i].Start();
        }
    }

    /// <summary>Loads one sample; an error is noted in the batch and thrown to its reader.</summary>
    /// <param name="loader">The thread's loader.</param>
    /// <param name="batch">The batch in the making.</param>
    /// <param name="position">Place in the batch.</param>
    /// <returns>Whether the sample arrived.</returns>
    public static bool TryLoad(SampleLoader loader, PendingBatch batch, int position)
    {
        try
        {
            loader.Load(batch, position);
            return true;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Whatever a decoder or a transform of the user's throws belongs to the reader's thread, in the order of the rows.
            batch.Fail(position, e);
            return false;
        }
    }

    /// <summary>Waits for the next batch in order.</summary>
    /// <returns>The batch; the caller owns it.</returns>
    public ImageBatch Take()
    {
        PendingBatch batch;
        lock (_gate)
        {
            while (!_stopped && !(_inFlight.TryPeek(out var first) && first.Missing == 0))
            {
                Monitor.Wait(_gate);
            }

            _cancellationToken.ThrowIfCancellationRequested();
            batch = _inFlight.Dequeue();
            Monitor.PulseAll(_gate);
        }

        return batch.Finish(_explainer.Explain);
    }

    /// <summary>Stops the threads, waits for them and gives back what they loaded ahead.</summary>
    public void Dispose()
    {
        _wakeUp.Dispose();
        Stop();
        foreach (var thread in _threads)
        {
            thread.Join();
        }

        while (_inFlight.TryDequeue(out var batch))
        {
            batch.Dispose();
        }
    }

    private void Stop()
    {
        lock (_gate)
        {
            _stopped = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Work(SampleLoader loader)
    {
        while (NextSample() is var (batch, position))
        {
            TryLoad(loader, batch, position);
            lock (_gate)
            {
                batch.Missing--;
                if (batch.Missing == 0)
                {
                    Monitor.PulseAll(_gate);
                }
            }
        }
    }

    private (PendingBatch Batch, int Position)? NextSample()
    {
        lock (_gate)
        {
            while (!_stopped && _filling is null && _nextBatch < _endBatch && _inFlight.Count >= _prefetch)
            {
                Monitor.Wait(_gate);
            }

            if (_stopped || (_filling is null && _nextBatch >= _endBatch))
            {
                return null;
            }

            if (_filling is null)
            {
                _filling = _newBatch(_nextBatch++);
                _nextPosition = 0;
                _inFlight.Enqueue(_filling);
            }

            var sample = (_filling, _nextPosition++);
            if (_nextPosition == _filling.Count)
            {
                _filling = null;
            }

            return sample;
        }
    }
}
