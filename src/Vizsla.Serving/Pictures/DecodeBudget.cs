using Microsoft.AspNetCore.Http;
using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Serving.Pictures;

/// <summary>Limits the pixels that are being decoded at a time, so that memory has a limit whatever is sent.</summary>
/// <remarks>
/// First come, first served: a large picture is not passed over by small ones for ever. The collector and glibc keep what large pictures took; some seconds
/// after the last one it goes back to the system.
/// </remarks>
internal sealed class DecodeBudget : IDisposable
{
    // Levels, the decoder's planes and coefficients, and the first pass of a resize.
    private const int BytesPerPixel = 16;
    private const int ShareOfMemory = 8;
    // Half a gigabyte: what small pictures take is used again by the next ones.
    private const long ManyPixels = 1 << 25;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly LinkedList<(long Pixels, TaskCompletionSource Turn)> _waiting = [];
    private readonly Lock _lock = new();
    private readonly TimeSpan _longest;
    private readonly TimeProvider _time;
    private readonly ITimer _idle;
    private long _left;
    private long _most;

    /// <summary>Makes a budget.</summary>
    /// <param name="options">Limits of pixels and of the wait.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <param name="giveBack">Gives memory back to the system; null for the collector's and glibc's.</param>
    public DecodeBudget(ServingOptions options, TimeProvider? time = null, Action? giveBack = null)
    {
        Limit = Math.Max(options.MaxPicturePixels, options.MaxDecodingPixels ?? (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / ShareOfMemory / BytesPerPixel));
        (_left, _longest, _time) = (Limit, options.MaxDecodingWait, time ?? TimeProvider.System);
        _idle = _time.CreateTimer(_ => Rest(giveBack ?? SystemMemory.GiveBack), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Pixels in all.</summary>
    public long Limit { get; }

    /// <summary>Waits until a picture may be decoded.</summary>
    /// <param name="data">The picture's bytes; its size is read from its header.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Gives the pixels back when it is disposed.</returns>
    /// <exception cref="RefusedException">Others took too long (503).</exception>
    public async ValueTask<IDisposable> TakeAsync(byte[] data, CancellationToken cancellationToken)
    {
        var pixels = Math.Min(PixelsOf(data), Limit);
        LinkedListNode<(long, TaskCompletionSource Turn)> place;
        lock (_lock)
        {
            if (_waiting.Count == 0 && pixels <= _left)
            {
                Take(pixels);
                return new Share(this, pixels);
            }

            place = _waiting.AddLast((pixels, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)));
        }

        try
        {
            await place.Value.Turn.Task.WaitAsync(_longest, _time, cancellationToken).ConfigureAwait(false);
            return new Share(this, pixels);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            Leave(place, pixels);
            throw e is TimeoutException
                ? new RefusedException(StatusCodes.Status503ServiceUnavailable, "Too many large pictures are being decoded; try again later.", TimeSpan.FromSeconds(5))
                : e;
        }
    }

    public void Dispose() => _idle.Dispose();

    // A damaged header is the decoder's to explain: it decodes nothing.
    private static long PixelsOf(byte[] data)
    {
        try
        {
            var info = ImageCodec.Identify(data);
            return (long)info.Width * info.Height;
        }
        catch (ImageFormatException)
        {
            return 0;
        }
    }

    // Its turn may have come in the very moment in which it gave up.
    private void Leave(LinkedListNode<(long Pixels, TaskCompletionSource Turn)> place, long pixels)
    {
        lock (_lock)
        {
            if (place.List is not null)
            {
                _waiting.Remove(place);
                Admit();
                return;
            }
        }

        Give(pixels);
    }

    private void Give(long pixels)
    {
        lock (_lock)
        {
            _left += pixels;
            Admit();
            if (_left == Limit && _most >= ManyPixels)
            {
                _ = _idle.Change(Pause, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void Take(long pixels)
    {
        _left -= pixels;
        _most = Math.Max(_most, Limit - _left);
    }

    // Another picture may have come meanwhile; the last one of them asks again.
    private void Rest(Action giveBack)
    {
        lock (_lock)
        {
            if (_left < Limit || _most < ManyPixels)
            {
                return;
            }

            _most = 0;
        }

        giveBack();
    }

    private void Admit()
    {
        while (_waiting.First is { } next && next.Value.Pixels <= _left)
        {
            _waiting.RemoveFirst();
            Take(next.Value.Pixels);
            next.Value.Turn.SetResult();
        }
    }

    private sealed class Share(DecodeBudget budget, long pixels) : IDisposable
    {
        private DecodeBudget? _budget = budget;

        public void Dispose() => Interlocked.Exchange(ref _budget, null)?.Give(pixels);
    }
}
