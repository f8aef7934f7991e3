using System.Diagnostics;
using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>How fast matrices are multiplied: the ceiling of what training can reach.</summary>
internal static class GemmRate
{
    // The widest layer of ViT-B/16 on 16 pictures: tokens x width x inner width.
    private const long Rows = 16 * 197;
    private const long Inner = 768;
    private const long Columns = 3072;

    /// <summary>Multiplies again and again.</summary>
    /// <param name="type">Precision: Float32 or BFloat16.</param>
    /// <param name="device">Where.</param>
    /// <param name="duration">For how long, after one product that is not counted.</param>
    /// <returns>Billions of floating point operations in a second, a multiplication and an addition counting two.</returns>
    public static double Measure(ScalarType type, Device device, TimeSpan duration)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var x = ones(Rows, Inner, dtype: type, device: device);
        var weight = ones(Inner, Columns, dtype: type, device: device);
        Multiply(x, weight);
        var count = 0;
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < duration)
        {
            Multiply(x, weight);
            count++;
        }

        return 2.0 * Rows * Inner * Columns * count / watch.Elapsed.TotalSeconds / 1e9;
    }

    private static void Multiply(Tensor x, Tensor weight)
    {
        using var product = x.mm(weight);
        if (product.device_type == TorchSharp.DeviceType.CUDA)
        {
            cuda.synchronize();
        }
    }
}
