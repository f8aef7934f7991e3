using System.Globalization;
using System.Runtime.CompilerServices;
using TorchSharp;
using Vizsla.Models.Graphs;
using Vizsla.Models.Layers;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models;

/// <summary>Compares a network's scores with those of float64 before they are used, on machines that hide their caches, where fast kernels may be wrong without a word.</summary>
/// <remarks>
/// The first batch of each kind (size of batch and pictures, precision, threads, training or folded) is computed as it is going to be, and some of its
/// pictures again in float64, which oneDNN has no kernels for. Where they differ, convolutions go on without oneDNN; where that does not help, the work stops.
/// On machines that show their caches nothing is computed; nor for a network that is being recorded, or one with adapters, whose weights are not its own.
/// </remarks>
internal static class NumberGuard
{
    /// <summary>Largest difference in float32, as a share of the largest score.</summary>
    public const double Float32Tolerance = 1e-3;

    /// <summary>The same in bfloat16 and float16.</summary>
    public const double LowerTolerance = 3e-2;

    // Pictures do not see each other in evaluation mode, so a few of a batch stand for all: the first, the last, and two between.
    private const int MostPictures = 4;

    private static readonly ConditionalWeakTable<ClassificationNetwork, HashSet<BatchKind>> Proven = [];

    [ThreadStatic]
    private static bool _isChecking;

    /// <summary>Whether batches are checked; by default where the machine hides its caches.</summary>
    public static bool IsOn { get; set; } = ProcessorCaches.AreHidden;

    /// <summary>Checks the first batch of each kind, before it is used.</summary>
    /// <param name="network">The network, with the weights it is going to be used with.</param>
    /// <param name="pixels">Float [B, C, H, W], preprocessed.</param>
    /// <exception cref="ModelLoadException">The scores are wrong with and without oneDNN.</exception>
    public static void Require(ClassificationNetwork network, Tensor pixels) => Require(network, pixels, null);

    /// <summary>The same with another way to compute, for tests.</summary>
    internal static void Require(ClassificationNetwork network, Tensor pixels, Func<ClassificationNetwork, Tensor, Tensor>? compute)
    {
        if (!IsOn || _isChecking || GraphRecorder.Current is not null || pixels.device_type != DeviceType.CPU || pixels.dtype != ScalarType.Float32 || pixels.dim() != 4 || pixels.numel() == 0
            || network.parameters().FirstOrDefault()?.dtype != ScalarType.Float32
            || ModuleTree.Layers(network).OfType<TensorLayer>().Any(l => l.Adapter is not null))
        {
            return;
        }

        var kind = new BatchKind(
            string.Join('x', pixels.shape), network.training, network.IsFolded, Autocast.Current(DeviceType.CPU), get_num_threads(), Convolutions.Way);
        var proven = Proven.GetOrCreateValue(network);
        lock (proven)
        {
            if (!proven.Contains(kind))
            {
                _isChecking = true;
                try
                {
                    Check(network, pixels, kind, compute);
                    proven.Add(kind with { Way = Convolutions.Way });
                }
                finally
                {
                    _isChecking = false;
                    Autocast.ClearCache();
                }
            }
        }
    }

    private static void Check(ClassificationNetwork network, Tensor pixels, BatchKind kind, Func<ClassificationNetwork, Tensor, Tensor>? compute)
    {
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        var places = Enumerable.Range(0, MostPictures).Select(i => i * (pixels.shape[0] - 1) / (MostPictures - 1)).Distinct().ToArray();
        var index = tensor(places);
        using var precise = Copy(network, ScalarType.Float64);
        var exact = precise.forward(pixels.index_select(0, index).to(ScalarType.Float64));      // [P, L]
        var largest = exact.abs().max().item<double>();
        if (!double.IsFinite(largest) || largest == 0)
        {
            return;
        }

        var first = Rows();
        var difference = From(exact, first);
        var tolerance = kind.Precision is null ? Float32Tolerance : LowerTolerance;
        if (!(difference <= tolerance) && Convolutions.Way != ConvolutionWay.Products)
        {
            Convolutions.AvoidOneDnn();
            Autocast.ClearCache();
            var second = Rows();
            difference = From(exact, second);
            if (!(difference <= tolerance) && From(second, first) <= tolerance)
            {
                // Two implementations that agree: the network itself amplifies the rounding of this precision, and the machine is right.
                Convolutions.TrustOneDnn();
                return;
            }
        }

        if (!(difference <= tolerance))
        {
            throw new ModelLoadException(string.Create(
                CultureInfo.InvariantCulture,
                $"This machine computes {network.ClassName} wrong: scores of a batch of {kind.Shape} in {PrecisionName(kind.Precision)} differ from float64 by {difference:G2} of the largest score, where {tolerance} is allowed; "
                + $"{(kind.Precision is null ? "use another machine, and see what 'vizsla doctor --verbose' finds" : "compute in float32")}."));
        }

        Tensor Rows()
        {
            using var computed = compute is null ? Compute(network, pixels, kind.IsTraining) : compute(network, pixels); // [B, L]
            return computed.to(ScalarType.Float64).index_select(0, index);
        }

        double From(Tensor expected, Tensor rows) => (rows - expected).abs().max().item<double>() / largest;
    }

    // Training changes statistics and draws, so a copy in evaluation mode computes with the order in memory that training uses.
    private static Tensor Compute(ClassificationNetwork network, Tensor pixels, bool isTraining)
    {
        if (!isTraining)
        {
            return network.forward(pixels);
        }

        using var copy = Copy(network, ScalarType.Float32);
        using var arranged = copy.ArrangeAsInTraining();
        return copy.forward(pixels);
    }

    private static ClassificationNetwork Copy(ClassificationNetwork network, ScalarType type)
    {
        var copy = Architectures.Build(network.Configuration);
        copy.to(type);
        copy.eval();
        (copy.InterpolatesPositions, copy.KeepsMemoryLayout) = (network.InterpolatesPositions, network.KeepsMemoryLayout);
        foreach (var ((_, from), (_, to)) in network.State().Zip(copy.State()))
        {
            to.copy_(from);
        }

        return copy;
    }

    private static string PrecisionName(ScalarType? lower) => lower switch
    {
        null => "float32",
        ScalarType.BFloat16 => "bfloat16",
        _ => "float16",
    };

    private sealed record BatchKind(string Shape, bool IsTraining, bool IsFolded, ScalarType? Precision, int ThreadCount, ConvolutionWay Way);
}
