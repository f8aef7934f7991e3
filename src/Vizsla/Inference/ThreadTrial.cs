using System.Numerics;
using System.Runtime.CompilerServices;
using TorchSharp;
using Vizsla.Models;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Inference;

// Shapes: B batch, C channels, H height, W width, L labels or features.

/// <summary>Runs small networks on small batches, and any on cores that others keep busy, with one thread where a trial on their first batch shows that it is faster.</summary>
/// <remarks>
/// Waking threads and waiting for the slowest costs more than it gains where an operator takes microseconds, all the more on cores that others use too.
/// The trial is made once in a process for each architecture and kind of batch, so that equal pictures get equal scores; a batch of twice the size is another
/// kind. Nothing is tried where <c>OMP_NUM_THREADS</c> is set.
/// </remarks>
internal sealed class ThreadTrial
{
    /// <summary>Networks with more weights than this are never small.</summary>
    public const long MaxWeights = 10_000_000;

    private const int FewestRounds = 3;
    private const int MostRounds = 15;
    private static readonly TimeSpan Enough = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan LongestForward = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestOnBusyCores = TimeSpan.FromMilliseconds(500);
    private static readonly ConditionalWeakTable<ClassificationNetwork, ThreadTrial> OfNetworks = [];
    private static readonly Dictionary<Kind, bool> UsesOne = [];

    private readonly long _weights;

    private ThreadTrial(ClassificationNetwork network) => _weights = network.parameters().Sum(p => p.numel());

    /// <summary>Computes a batch; one caller at a time for each network.</summary>
    /// <param name="network">The network, in evaluation mode.</param>
    /// <param name="pixels">Float [B, C, H, W].</param>
    /// <param name="forward">From the pixels to float [B, L].</param>
    /// <returns>What <paramref name="forward"/> gives; the caller owns it.</returns>
    public static Tensor Run(ClassificationNetwork network, Tensor pixels, Func<Tensor, Tensor> forward)
    {
        if (TorchThreads.Count == 1 || !TorchThreads.CanUseOne || Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is { Length: > 0 })
        {
            return forward(pixels);
        }

        var weights = OfNetworks.GetValue(network, n => new ThreadTrial(n))._weights;
        var kind = new Kind(
            network.ClassName, weights, BitOperations.Log2((uint)pixels.shape[0]), pixels.shape[2], pixels.shape[3], Autocast.Current(pixels.device_type));
        return IsFasterWithOne(kind, pixels, forward) ? WithOne(pixels, forward) : forward(pixels);
    }

    private static bool IsFasterWithOne(Kind kind, Tensor pixels, Func<Tensor, Tensor> forward)
    {
        lock (UsesOne)
        {
            if (!UsesOne.TryGetValue(kind, out var usesOne))
            {
                // What is too large for one thread stays so in a larger batch; on cores that others keep busy nothing is.
                var isTooLarge = kind.Weights > MaxWeights || UsesOne.Any(known => !known.Value && known.Key.Doublings < kind.Doublings && known.Key with { Doublings = kind.Doublings } == kind);
                var isShort = Machine.IsShort(TorchThreads.Count);
                UsesOne[kind] = usesOne = (isShort || !isTooLarge) && IsOneFaster(
                    () => forward(pixels).Dispose(), () => WithOne(pixels, forward).Dispose(), TimeProvider.System, isShort ? LongestOnBusyCores : LongestForward);
            }

            return usesOne;
        }
    }

    /// <summary>Whether work takes one thread no longer than all of them: the median of some rounds that take turns.</summary>
    /// <param name="all">The work on all threads.</param>
    /// <param name="one">The same on one.</param>
    /// <param name="time">The clock.</param>
    /// <param name="longest">Work that takes one thread longer is not tried further, and keeps all threads.</param>
    internal static bool IsOneFaster(Action all, Action one, TimeProvider time, TimeSpan longest)
    {
        all();
        List<TimeSpan> withAll = [], withOne = [];
        var begin = time.GetTimestamp();
        while (withOne.Count < FewestRounds || (withOne.Count < MostRounds && time.GetElapsedTime(begin) < Enough))
        {
            withOne.Add(Elapsed(one, time));
            if (withOne[^1] > longest)
            {
                return false;
            }

            withAll.Add(Elapsed(all, time));
        }

        // On cores that others use a single round may meet or miss them.
        return Median(withOne) <= Median(withAll);

        static TimeSpan Median(List<TimeSpan> times) => times.Order().ElementAt(times.Count / 2);
    }

    private static TimeSpan Elapsed(Action work, TimeProvider time)
    {
        var start = time.GetTimestamp();
        work();
        return time.GetElapsedTime(start);
    }

    private static Tensor WithOne(Tensor pixels, Func<Tensor, Tensor> forward)
    {
        using var alone = TorchThreads.UseOne();
        return forward(pixels);
    }

    /// <summary>Batches that take equally long, but for a factor of two.</summary>
    private sealed record Kind(string Network, long Weights, int Doublings, long Height, long Width, ScalarType? Type);
}
