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
/// pictures again in float64, which oneDNN has no kernels for. Where they differ by more than rounding does to that network, convolutions go on without oneDNN;
/// where that does not help, the work stops. Before a training the convolutions of the batch are tested one by one, with their gradients.
/// On machines that show their caches nothing is computed; nor for a network that is being recorded. Of a network with adapters the one below them is checked, which has its convolutions.
/// </remarks>
internal static class NumberGuard
{
    /// <summary>Largest difference in float32, as a share of the largest score.</summary>
    public const double Float32Tolerance = 1e-3;

    /// <summary>The same in bfloat16 and float16.</summary>
    public const double LowerTolerance = 3e-2;

    // Pictures do not see each other in evaluation mode, so a few of a batch stand for all: the first, the last, and two between.
    private const int MostPictures = 4;

    // What the roundings of all layers and sums may do, as a multiple of what those of weights and pixels do: float32 adds up thousands of products, bfloat16 adds them in float32.
    private const double Float32Factor = 32;
    private const double LowerFactor = 8;

    // A new network in evaluation mode can fade to values that float32 does not hold; they say nothing of its kernels.
    private const double SmallestScore = 1e-30;

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
            || network.State().FirstOrDefault().Value?.dtype != ScalarType.Float32)
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
        if (!double.IsFinite(largest) || largest < SmallestScore)
        {
            return;
        }

        var tolerance = kind.Precision is null ? Float32Tolerance : LowerTolerance;
        Tensor first;
        if (kind.IsTraining && compute is null && Convolutions.Way != ConvolutionWay.Products)
        {
            // Scores say nothing of gradients: each convolution of the network is tested forward and back.
            Tensor? rows = null;
            var cases = Convolutions.Record(() => rows = Rows());
            first = rows!;
            if (!ConvolutionVerdict.IsRight(cases))
            {
                Convolutions.AvoidOneDnn();
                Autocast.ClearCache();
                first = Rows();
            }
        }
        else
        {
            first = Rows();
        }

        var difference = From(exact, first);
        if (difference <= tolerance)
        {
            return;
        }

        tolerance = Math.Max(tolerance, (kind.Precision is null ? Float32Factor : LowerFactor) * Sway(network, pixels.index_select(0, index), exact, kind.Precision) / largest);
        if (!(difference <= tolerance) && Convolutions.Way != ConvolutionWay.Products)
        {
            Convolutions.AvoidOneDnn();
            Autocast.ClearCache();
            difference = From(exact, Rows());
        }

        if (!(difference <= tolerance))
        {
            throw new ModelLoadException(string.Create(
                CultureInfo.InvariantCulture,
                $"This machine computes {network.ClassName} wrong, with convolutions as matrix products too: scores of a batch of {kind.Shape} in {PrecisionName(kind.Precision)} differ from float64 by {difference:G2} of the largest score, where {tolerance:G2} is allowed; "
                + $"{(kind.Precision is null ? "use another machine, and see what 'vizsla doctor --verbose' finds" : "compute in float32")}."));
        }

        Tensor Rows()
        {
            using var computed = compute is null ? Compute(network, pixels, kind.IsTraining) : compute(network, pixels); // [B, L]
            return computed.to(ScalarType.Float64).index_select(0, index);
        }

        double From(Tensor expected, Tensor rows) => (rows - expected).abs().max().item<double>() / largest;
    }

    /// <summary>How far float64 itself moves when pixels and weights are rounded to a lower precision: the machine is not to blame for a network that amplifies rounding.</summary>
    private static double Sway(ClassificationNetwork network, Tensor pixels, Tensor exact, ScalarType? lower)
    {
        using var scope = NewDisposeScope();
        using var draw = new Generator(3);
        using var copy = Copy(network, ScalarType.Float64);
        var step = Math.Pow(2, lower switch { null => -24, ScalarType.BFloat16 => -9, _ => -12 });
        foreach (var (_, value) in copy.State().Where(s => s.Value.is_floating_point()))
        {
            Shake(value);
        }

        var moved = pixels.to(ScalarType.Float64);
        Shake(moved);
        return (copy.forward(moved) - exact).abs().max().item<double>();

        void Shake(Tensor value)
        {
            using var inner = NewDisposeScope();
            // Factors of 1 - step to 1 + step.
            value.mul_(KeptScalars.Plus(KeptScalars.Times(rand(value.shape, ScalarType.Float64, generator: draw), 2 * step), 1 - step));
        }
    }

    // Training changes statistics and draws, so a copy in evaluation mode computes with the order in memory that training uses.
    private static Tensor Compute(ClassificationNetwork network, Tensor pixels, bool isTraining)
    {
        var isAdapted = ModuleTree.Layers(network).OfType<TensorLayer>().Any(l => l.Adapter is not null);
        if (!isTraining && !isAdapted)
        {
            return network.forward(pixels);
        }

        using var copy = Copy(network, ScalarType.Float32);
        using var arranged = isTraining ? copy.ArrangeAsInTraining() : network.IsFolded ? copy.FoldForPrediction() : null;
        using var gradients = set_grad_enabled(isTraining);
        return copy.forward(pixels).detach();
    }

    private static ClassificationNetwork Copy(ClassificationNetwork network, ScalarType type)
    {
        var copy = Architectures.Build(network.Configuration);
        copy.to(type);
        copy.eval();
        (copy.InterpolatesPositions, copy.KeepsMemoryLayout) = (network.InterpolatesPositions, network.KeepsMemoryLayout);
        // By the names of this network, which a file may spell otherwise: an adapter's parameters stand among the network's own.
        var own = ModuleTree.State(network).ToDictionary(s => s.Name, s => s.Value, StringComparer.Ordinal);
        foreach (var (name, value) in ModuleTree.State(copy))
        {
            value.copy_(own[name]);
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
