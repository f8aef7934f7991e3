using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Vizsla.Distributed;
using Vizsla.Models;
using Vizsla.Native;
using Vizsla.Training.Optimizers;
using static TorchSharp.torch;

namespace Vizsla.Training.Data;

/// <summary>Adds up the gradients of all processes once a step, with the loss of the step and the wish to stop.</summary>
/// <remarks>
/// A thread of communication sends each bucket of gradients while the backward pass goes on to the next; afterwards the gradients are views of the one buffer.
/// A parameter that has no gradient on any rank keeps none. Source: torch's <c>DistributedDataParallel</c>, with a sum in the place of the mean: here losses are divided by the samples of all ranks.
/// </remarks>
internal sealed class GradientExchange : IDisposable
{
    private const long PieceNumbers = (25 << 20) / sizeof(float);

    // What stands in the buffer behind the gradients: the loss, the wish to stop, and for each parameter whether it has a gradient and whether some of it came late.
    private const int ExtraNumbers = 2;

    private readonly ProcessGroup _group;
    private readonly Optimizer _optimizer;
    private readonly ClassificationNetwork _network;
    private readonly long _smallestBucket;
    private readonly BlockingCollection<(nint Address, int Count, bool IsRounded)> _waiting = [];
    private readonly SemaphoreSlim _sent = new(0);
    private readonly Thread _sender;
    private readonly HashSet<Tensor> _late = new(ReferenceEqualityComparer.Instance);
    private BackwardOrder? _order;
    private GradientBuckets? _buckets;
    private float[] _extra = [];
    private ushort[] _rounded = [];
    private int _next;
    private int _pieces;
    private bool _isLastPass;
    private volatile Exception? _failure;
    private long _sendingTicks;

    /// <param name="group">The processes.</param>
    /// <param name="optimizer">Has the parameters, alike in each process.</param>
    /// <param name="network">The network that they belong to.</param>
    /// <param name="smallestBucket">Numbers that are worth a call between the ranks.</param>
    public GradientExchange(ProcessGroup group, Optimizer optimizer, ClassificationNetwork network, long smallestBucket = GradientBuckets.SmallestBucket)
    {
        (_group, _optimizer, _network, _smallestBucket) = (group, optimizer, network, smallestBucket);
        _sender = new Thread(SendAll) { IsBackground = true, Name = "gradient exchange" };
        _sender.Start();
    }

    /// <summary>Whether gradients leave while the backward pass goes on; not where a step may be repeated. Default true.</summary>
    public bool LeavesInBackward { get; init; } = true;

    /// <summary>In which precision gradients are added up. Default float32.</summary>
    public DdpCommHook Precision { get; init; }

    /// <summary>How long the calls between the ranks took so far.</summary>
    public TimeSpan Sending => Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _sendingTicks));

    /// <summary>How long training waited for them.</summary>
    public TimeSpan Waiting { get; private set; }

    /// <summary>Bytes that were added up so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>Prepares a step: gives each parameter that trains its place, when a run begins and when something is frozen or unfrozen.</summary>
    public void BeginStep()
    {
        var training = _optimizer.Groups.SelectMany(g => g.Parameters).Select(p => p.Value).Where(p => p.requires_grad).ToList();
        if (_buckets?.Training.SequenceEqual(training, ReferenceEqualityComparer.Instance) != true)
        {
            // The first step shows in which order gradients come.
            _late.Clear();
            Arrange(training, order: null);
            _order = new BackwardOrder(_network);
        }

        _extra = new float[ExtraNumbers + (2 * training.Count)];
        (_next, _pieces, _isLastPass) = (0, 0, false);
    }

    /// <summary>Prepares the last forward pass of the step.</summary>
    public void BeginLastForward()
    {
        if (LeavesInBackward)
        {
            // A lower-precision copy of a weight that an earlier forward pass made would have its gradient after all else.
            Autocast.ClearCache();
        }
    }

    /// <summary>Has the next backward pass, the last one of the step, send each bucket of gradients when it is full.</summary>
    public void BeginLastBackward() => _isLastPass = LeavesInBackward;

    /// <summary>Replaces the gradients of this process by their sum over all.</summary>
    /// <param name="loss">Share of this process in the loss of the step.</param>
    /// <param name="isStopAsked">Whether this process is to stop.</param>
    /// <returns>The loss of the step, and whether any process is to stop.</returns>
    public (float Loss, bool IsStopAsked) Sum(float loss, bool isStopAsked)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        _isLastPass = false;
        var (buckets, slots) = (_buckets!, _buckets!.Slots);

        // A gradient that is there again was added to after its bucket left.
        for (var i = 0; i < EndOf(_next); i++)
        {
            _extra[ExtraNumbers + slots.Count + i] = slots[i].Parameter.grad is null ? 0 : 1;
        }

        while (_next < buckets.BucketEnds.Count)
        {
            SendNext();
        }

        (_extra[0], _extra[1]) = (loss, isStopAsked ? 1 : 0);
        var extra = Numbers(buckets.GradientCount, _extra.Length);
        _extra.CopyTo(extra);
        Send(buckets.GradientCount, buckets.Length);
        Wait();
        var has = extra.Slice(ExtraNumbers, slots.Count);
        var late = extra.Slice(ExtraNumbers + slots.Count, slots.Count);
        for (var i = 0; i < slots.Count; i++)
        {
            if (late[i] > 0)
            {
                AddLate(slots[i]);
            }

            slots[i].Parameter.grad = has[i] + late[i] > 0 ? slots[i].Place : null;
        }

        var result = (extra[0], extra[1] > 0);
        if (_order is not null)
        {
            // The first process always has pictures.
            var order = _order.Of(buckets.Training);
            _order.Dispose();
            _order = null;
            _group.Broadcast(MemoryMarshal.AsBytes(order.AsSpan()));
            Arrange(buckets.Training, [.. order.Select(i => buckets.Training[i])]);
        }
        else if (late.ContainsAnyExcept(0))
        {
            // These wait for the end of the backward pass from here on.
            Arrange(buckets.Training, [.. slots.Select(s => s.Parameter)]);
        }

        return result;
    }

    public void Dispose()
    {
        _waiting.CompleteAdding();
        _sender.Join();
        _waiting.Dispose();
        _sent.Dispose();
        _order?.Dispose();
        _buckets?.Dispose();
    }

    private void Arrange(IReadOnlyList<Tensor> training, IReadOnlyList<Tensor>? order)
    {
        _order?.Dispose();
        _buckets?.Dispose();
        _buckets = new GradientBuckets(_network, training, order, _late, ExtraNumbers + (2 * training.Count), _smallestBucket, Pass);
    }

    private unsafe Span<float> Numbers(long start, int count) => new((float*)_buckets!.Address + start, count);

    private int EndOf(int bucket) => bucket == 0 ? 0 : _buckets!.BucketEnds[bucket - 1];

    // On the thread of the backward pass, in its midst. All processes send the buckets in one order.
    private void Pass(int bucket)
    {
        if (!_isLastPass)
        {
            return;
        }

        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        try
        {
            // What lies before it was computed later, and is full as well: layers that take no part, or do not look at their input, tell nothing.
            while (_next <= bucket)
            {
                SendNext();
            }
        }
        catch (ExternalException e)
        {
            // An exception does not go through libtorch.
            _failure = e;
        }
    }

    /// <summary>Moves the gradients of the next bucket into the buffer and hands it to the sender.</summary>
    private void SendNext()
    {
        var (first, end) = (EndOf(_next), _buckets!.BucketEnds[_next]);
        for (var i = first; i < end; i++)
        {
            var (parameter, place, _) = _buckets.Slots[i];
            if (parameter.grad is { } gradient)
            {
                place.copy_(gradient);
                parameter.grad = null;
                _extra[ExtraNumbers + i] = 1;
            }
            else
            {
                place.zero_();
            }
        }

        _next++;
        Send(_buckets.StartOf(first), _buckets.StartOf(end));
    }

    private void AddLate(GradientSlot slot)
    {
        var rest = (slot.Parameter.grad ?? zeros_like(slot.Place)).contiguous();
        _group.AllReduce(MemoryMarshal.Cast<byte, float>(rest.bytes));
        slot.Place.Plus_(rest);
        _late.Add(slot.Parameter);
    }

    /// <summary>Hands a part of the buffer to the sender.</summary>
    private void Send(long start, long end)
    {
        // The loss and what else stands behind the gradients stay exact.
        var isRounded = Precision == DdpCommHook.Bf16 && start < _buckets!.GradientCount;
        Bytes += (end - start) * (isRounded ? sizeof(ushort) : sizeof(float));
        for (; start < end; start += PieceNumbers, _pieces++)
        {
            _waiting.Add((_buckets!.Address + (nint)(start * sizeof(float)), (int)Math.Min(PieceNumbers, end - start), isRounded));
        }
    }

    private void Wait()
    {
        var since = Stopwatch.GetTimestamp();
        for (var i = 0; i < _pieces; i++)
        {
            _sent.Wait();
        }

        Waiting += Stopwatch.GetElapsedTime(since);
        if (_failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    private unsafe void SendAll()
    {
        foreach (var (address, count, isRounded) in _waiting.GetConsumingEnumerable())
        {
            try
            {
                if (_failure is null)
                {
                    var since = Stopwatch.GetTimestamp();
                    AllReduce(new Span<float>((void*)address, count), isRounded);
                    Interlocked.Add(ref _sendingTicks, Stopwatch.GetTimestamp() - since);
                }
            }
            catch (IOException e)
            {
                _failure = e;
            }

            _sent.Release();
        }
    }

    private void AllReduce(Span<float> values, bool isRounded)
    {
        if (!isRounded)
        {
            _group.AllReduce(values);
            return;
        }

        _rounded = _rounded.Length < values.Length ? new ushort[values.Length] : _rounded;
        var bits = _rounded.AsSpan(0, values.Length);
        BFloat16.Round(values, bits);
        _group.AllReduceBFloat16(bits);
        BFloat16.Widen(bits, values);
    }
}
