using System.Collections.Concurrent;

namespace Vizsla.Inference;

/// <summary>A thread that computes for callers who wait without blocking a thread of theirs; started when first asked.</summary>
/// <remarks>
/// OpenMP keeps helpers for every thread that computes, so that many threads of a pool would have many helpers each; one thread for all has one set.
/// </remarks>
internal sealed class ComputeThread : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly Lock _starting = new();
    private bool _isStarted;

    /// <summary>Runs work in turn.</summary>
    /// <param name="work">What to compute.</param>
    /// <param name="cancellationToken">Takes the work out of the queue, unless it has begun.</param>
    /// <exception cref="ObjectDisposedException">The thread has ended.</exception>
    public Task<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        // Whoever comes first, the thread or the cancellation, has it.
        var isTaken = 0;
        var cancelled = cancellationToken.Register(() =>
        {
            if (Interlocked.Exchange(ref isTaken, 1) == 0)
            {
                result.SetCanceled(cancellationToken);
            }
        });
        Add(() =>
        {
            if (Interlocked.Exchange(ref isTaken, 1) == 0)
            {
                cancelled.Dispose();
                Complete(result, work);
            }
        });
        return result.Task;
    }

    /// <summary>Ends the thread after the work that waits for it.</summary>
    public void Dispose() => _work.CompleteAdding();

    private static void Complete<T>(TaskCompletionSource<T> result, Func<T> work)
    {
        try
        {
            result.SetResult(work());
        }
        catch (Exception e)
        {
            // The edge between the callers and the thread: the exception is the caller's, and the thread lives on.
            result.SetException(e);
        }
    }

    private void Add(Action item)
    {
        lock (_starting)
        {
            if (!_isStarted && !_work.IsAddingCompleted)
            {
                new Thread(Work) { IsBackground = true, Name = "Vizsla model" }.Start();
                _isStarted = true;
            }
        }

        try
        {
            _work.Add(item);
        }
        catch (InvalidOperationException)
        {
            throw new ObjectDisposedException(nameof(ImageClassifier));
        }
    }

    private void Work()
    {
        foreach (var item in _work.GetConsumingEnumerable())
        {
            item();
        }

        _work.Dispose();
    }
}
