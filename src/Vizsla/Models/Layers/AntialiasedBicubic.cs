using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>Bicubic resizing that averages over what a smaller plane leaves out, which TorchSharp's interpolation lacks: a product with one matrix for each axis.</summary>
/// <remarks>Source: torch <c>interpolate(mode="bicubic", antialias=True, align_corners=False)</c>: a = -0.5. Parity: 1e-6.</remarks>
internal static class AntialiasedBicubic
{
    private const double Sharpness = -0.5;
    private const double Reach = 2;

    /// <param name="planes">Float [B, C, H, W].</param>
    /// <param name="size">Height and width of the result.</param>
    /// <returns>Float [B, C, height, width]; in the caller's scope.</returns>
    public static Tensor Resize(Tensor planes, (long Height, long Width) size)
    {
        using var scope = NewDisposeScope();
        var down = tensor(Weights(planes.shape[2], size.Height), [size.Height, planes.shape[2]], device: planes.device).to(planes.dtype);
        var right = tensor(Weights(planes.shape[3], size.Width), [size.Width, planes.shape[3]], device: planes.device).to(planes.dtype);
        return down.matmul(planes).matmul(right.t()).MoveToOuterDisposeScope();
    }

    /// <summary>Row by row the share of each old place in a new one.</summary>
    private static float[] Weights(long from, long to)
    {
        var scale = (double)from / to;
        var stretch = Math.Max(scale, 1);
        var weights = new float[to * from];
        for (var place = 0L; place < to; place++)
        {
            var center = scale * (place + 0.5);
            var first = Math.Max((long)(center - Reach * stretch + 0.5), 0);
            var end = Math.Min((long)(center + Reach * stretch + 0.5), from);
            var row = weights.AsSpan((int)(place * from), (int)from);
            var sum = 0.0;
            for (var at = first; at < end; at++)
            {
                var weight = Cubic((at - center + 0.5) / stretch);
                row[(int)at] = (float)weight;
                sum += weight;
            }

            for (var at = first; at < end; at++)
            {
                row[(int)at] = (float)(row[(int)at] / sum);
            }
        }

        return weights;
    }

    private static double Cubic(double distance)
    {
        var x = Math.Abs(distance);
        return x < 1 ? ((Sharpness + 2) * x - (Sharpness + 3)) * x * x + 1
            : x < 2 ? (((x - 5) * x + 8) * x - 4) * Sharpness
            : 0;
    }
}
