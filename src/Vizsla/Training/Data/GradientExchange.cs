using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Vizsla.Distributed;
using Vizsla.Training.Optimizers;
using static TorchSharp.torch;

namespace Vizsla.Training.Data;

/// <summary>Adds up the gradients of all processes once a step, with the loss of the step and the wish to stop.</summary>
/// <remarks>
/// Gradients are copied into one flat buffer, in buckets that a thread of communication sends while the next one is copied; afterwards they are views of the buffer.
/// A parameter that has no gradient on any rank keeps none. Source: torch's <c>DistributedDataParallel</c>, with a sum in the place of the mean: here losses are divided by the samples of all ranks.
/// </remarks>
internal sealed class GradientExchange : IDisposable
{
    private const long BucketNumbers = (25 << 20) / sizeof(float);

    // What stands in the buffer behind the gradients: the loss, the wish to stop, and for each parameter whether it has a gradient.
    private const int ExtraNumbers = 2;

    private readonly ProcessGroup _group;
    private readonly Optimizer _optimizer;
    private readonly BlockingCollection<(nint Address, int Count)> _waiting = [];
    private readonly SemaphoreSlim _sent = new(0);
    private readonly Thread _sender;
    private List<Slot> _slots = [];
    private Tensor? _buffer;
    private nint _address;
    private long _gradientCount;
    private volatile Exception? _failure;

    /// <param name="group">The processes.</param>
    /// <param name="optimizer">Has the parameters, alike in each process.</param>
    public GradientExchange(ProcessGroup group, Optimizer optimizer)
    {
        (_group, _optimizer) = (group, optimizer);
        _sender = new Thread(SendAll) { IsBackground = true, Name = "gradient exchange" };
        _sender.Start();
    }

    /// <summary>A parameter and its place in the buffer.</summary>
    private sealed record Slot(Tensor Parameter, Tensor Place, long End);

    /// <summary>Replaces the gradients of this process by their sum over all.</summary>
    /// <param name="loss">Share of this process in the loss of the step.</param>
    /// <param name="isStopAsked">Whether this process is to stop.</param>
    /// <returns>The loss of the step, and whether any process is to stop.</returns>
    public (float Loss, bool IsStopAsked) Sum(float loss, bool isStopAsked)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        Arrange();
        var extra = new float[ExtraNumbers + _slots.Count];
        (extra[0], extra[1]) = (loss, isStopAsked ? 1 : 0);
        var (sent, pieces) = (0L, 0);
        for (var i = 0; i < _slots.Count; i++)
        {
            var (parameter, place, end) = _slots[i];
            if (parameter.grad is { } gradient)
            {
                place.copy_(gradient);
                extra[ExtraNumbers + i] = 1;
            }
            else
            {
                place.zero_();
            }

            if (end - sent >= BucketNumbers || i == _slots.Count - 1)
            {
                pieces += Send(sent, end);
                sent = end;
            }
        }

        var behind = Numbers(_address + (nint)(_gradientCount * sizeof(float)), extra.Length);
        extra.CopyTo(behind);
        pieces += Send(_gradientCount, _gradientCount + extra.Length);
        Wait(pieces);
        for (var i = 0; i < _slots.Count; i++)
        {
            _slots[i].Parameter.grad = behind[ExtraNumbers + i] > 0 ? _slots[i].Place : null;
        }

        return (behind[0], behind[1] > 0);
    }

    public void Dispose()
    {
        _waiting.CompleteAdding();
        _sender.Join();
        _waiting.Dispose();
        _sent.Dispose();
        Clear();
    }

    private static unsafe Span<float> Numbers(nint address, int count) => new((void*)address, count);

    /// <summary>Gives each parameter that trains its place, when a run begins and when something is frozen or unfrozen.</summary>
    private void Arrange()
    {
        var training = _optimizer.Groups.SelectMany(g => g.Parameters).Select(p => p.Value).Where(p => p.requires_grad).ToList();
        if (training.SequenceEqual(_slots.Select(s => s.Parameter), ReferenceEqualityComparer.Instance))
        {
            return;
        }

        Clear();
        _gradientCount = training.Sum(p => p.numel());
        _buffer = zeros(_gradientCount + ExtraNumbers + training.Count).DetachFromDisposeScope();
        unsafe
        {
            _address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(_buffer.bytes));
        }

        var start = 0L;
        foreach (var parameter in training)
        {
            var count = parameter.numel();
            using var flat = _buffer.narrow(0, start, count);
            start += count;
            _slots.Add(new Slot(parameter, flat.view(parameter.shape).DetachFromDisposeScope(), start));
        }
    }

    private void Clear()
    {
        _slots.ForEach(s => s.Place.Dispose());
        _slots = [];
        _buffer?.Dispose();
    }

    /// <summary>Hands a part of the buffer to the sender.</summary>
    /// <returns>Into how many pieces it was cut.</returns>
    private int Send(long start, long end)
    {
        var pieces = 0;
        for (; start < end; start += BucketNumbers, pieces++)
        {
            _waiting.Add((_address + (nint)(start * sizeof(float)), (int)Math.Min(BucketNumbers, end - start)));
        }

        return pieces;
    }

    private void Wait(int pieces)
    {
        for (var i = 0; i < pieces; i++)
        {
            _sent.Wait();
        }

        if (_failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    private void SendAll()
    {
        foreach (var (address, count) in _waiting.GetConsumingEnumerable())
        {
            try
            {
                if (_failure is null)
                {
                    _group.AllReduce(Numbers(address, count));
                }
            }
            catch (IOException e)
            {
                _failure = e;
            }

            _sent.Release();
        }
    }
}
