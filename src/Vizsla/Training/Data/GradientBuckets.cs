using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vizsla.Models;
using Vizsla.Models.Layers;
using Vizsla.Training.Optimizers;
using static TorchSharp.torch;

namespace Vizsla.Training.Data;

/// <summary>The flat buffer in which the gradients of all processes are added up, and when a backward pass has filled a part of it.</summary>
/// <remarks>
/// Parameters lie in the order in which the backward pass comes by them, cut into buckets of whole layers. The last layer of each tells when the backward pass has come by it.
/// What was seen to come late is in the last bucket, which is full at the end. The same in each process.
/// Source: the buckets of torch's <c>DistributedDataParallel</c>.
/// </remarks>
internal sealed class GradientBuckets : IDisposable
{
    private const long LargestBucket = (25 << 20) / sizeof(float);
    /// <summary>Numbers that are worth a call between the ranks: 64 KiB.</summary>
    public const long SmallestBucket = (64 << 10) / sizeof(float);
    private const int BucketsOfModel = 16;

    private readonly List<TensorLayer> _marked = [];
    private readonly Tensor _buffer;

    /// <param name="network">The network.</param>
    /// <param name="training">The parameters that train.</param>
    /// <param name="order">They in the order in which a backward pass comes by; null for one bucket.</param>
    /// <param name="late">Those of them whose gradients change after the backward pass has come by.</param>
    /// <param name="extraCount">Numbers behind the gradients.</param>
    /// <param name="smallest">Numbers of a small bucket.</param>
    /// <param name="passed">Called with the number of a bucket when it can be filled.</param>
    public GradientBuckets(
        ClassificationNetwork network, IReadOnlyList<Tensor> training, IReadOnlyList<Tensor>? order, IReadOnlySet<Tensor> late, int extraCount, long smallest, Action<int> passed)
    {
        Training = training;
        List<Tensor> early = [.. (order ?? []).Where(p => !late.Contains(p))];
        var count = training.Sum(p => p.numel());
        _buffer = zeros(count + extraCount).DetachFromDisposeScope();
        unsafe
        {
            Address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(_buffer.bytes));
        }

        (GradientCount, Length) = (count, count + extraCount);
        var bucketSize = Math.Clamp(count / BucketsOfModel, smallest, LargestBucket);
        var (lastOf, slots, numbers) = (LastLayers(network, early), new List<Tensor>(), 0L);
        foreach (var parameter in early)
        {
            slots.Add(parameter);
            numbers += parameter.numel();
            if (numbers >= bucketSize && lastOf.TryGetValue(parameter, out var layer))
            {
                var bucket = BucketEnds.Count;
                layer.OnBackward = () => passed(bucket);
                _marked.Add(layer);
                BucketEnds.Add(slots.Count);
                numbers = 0;
            }
        }

        slots.AddRange(training.Except(slots, ReferenceEqualityComparer.Instance).Cast<Tensor>());
        BucketEnds.Add(slots.Count);
        var start = 0L;
        foreach (var parameter in slots)
        {
            using var flat = _buffer.narrow(0, start, parameter.numel());
            Slots.Add(new GradientSlot(parameter, flat.view(parameter.shape).DetachFromDisposeScope(), start));
            start += parameter.numel();
        }
    }

    /// <summary>The parameters that train, in the order of the optimizer.</summary>
    public IReadOnlyList<Tensor> Training { get; }

    /// <summary>Where each gradient lies, in the order of the buffer.</summary>
    public List<GradientSlot> Slots { get; } = [];

    /// <summary>Slots up to the end of each bucket; the last one is full when the backward pass is done.</summary>
    public List<int> BucketEnds { get; } = [];

    /// <summary>Address of the first number.</summary>
    public nint Address { get; }

    /// <summary>Numbers of the gradients.</summary>
    public long GradientCount { get; }

    /// <summary>Numbers of the buffer.</summary>
    public long Length { get; }

    /// <summary>Where a slot begins, or the gradients end.</summary>
    public long StartOf(int slot) => slot == Slots.Count ? GradientCount : Slots[slot].Start;

    public void Dispose()
    {
        _marked.ForEach(layer => layer.OnBackward = null);
        Slots.ForEach(s => s.Place.Dispose());
        _buffer.Dispose();
    }

    // Layers by the last of their parameters, an outer one before those inside of it.
    private static Dictionary<Tensor, TensorLayer> LastLayers(ClassificationNetwork network, List<Tensor> order)
    {
        var places = new Dictionary<Tensor, int>(ReferenceEqualityComparer.Instance);
        order.ForEach(parameter => places.Add(parameter, places.Count));
        var layers = new Dictionary<Tensor, TensorLayer>(ReferenceEqualityComparer.Instance);
        foreach (var (_, layer) in ModuleTree.TensorLayers(network))
        {
            if (layer.parameters().Where(places.ContainsKey).MaxBy(p => places[p]) is { } last)
            {
                layers.TryAdd(last, layer);
            }
        }

        return layers;
    }
}

/// <summary>In which order a backward pass comes by the layers, seen once.</summary>
internal sealed class BackwardOrder : IDisposable
{
    private readonly ClassificationNetwork _network;
    private readonly List<TensorLayer> _passed = [];

    /// <param name="network">The network; every layer of it is marked.</param>
    public BackwardOrder(ClassificationNetwork network)
    {
        _network = network;
        foreach (var (_, layer) in ModuleTree.TensorLayers(network))
        {
            layer.OnBackward = () => _passed.Add(layer);
        }
    }

    /// <summary>Places of parameters in the order of their gradients.</summary>
    /// <param name="training">The parameters.</param>
    /// <remarks>A parameter of no layer that was passed comes with the one before it in the file, whose gradient comes later.</remarks>
    public int[] Of(IReadOnlyList<Tensor> training)
    {
        var passed = new Dictionary<Tensor, int>(ReferenceEqualityComparer.Instance);
        for (var i = 0; i < _passed.Count; i++)
        {
            foreach (var parameter in _passed[i].parameters())
            {
                passed[parameter] = i;
            }
        }

        var (keys, key) = (new Dictionary<Tensor, (int, int)>(ReferenceEqualityComparer.Instance), int.MaxValue);
        foreach (var (_, parameter) in _network.named_parameters())
        {
            key = passed.GetValueOrDefault(parameter, key);
            keys[parameter] = (key, -keys.Count);
        }

        return [.. Enumerable.Range(0, training.Count).OrderBy(i => keys.GetValueOrDefault(training[i], (int.MaxValue, 0)))];
    }

    public void Dispose()
    {
        foreach (var (_, layer) in ModuleTree.TensorLayers(_network))
        {
            layer.OnBackward = null;
        }
    }
}

/// <summary>A parameter and where its gradient lies in the buffer.</summary>
/// <param name="Parameter">The parameter.</param>
/// <param name="Place">Its part of the buffer, in its shape.</param>
/// <param name="Start">First number of the part.</param>
internal sealed record GradientSlot(Tensor Parameter, Tensor Place, long Start);
