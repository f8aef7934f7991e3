using Vizsla.Models;
using static TorchSharp.torch;

namespace Vizsla.Inference;

// Shapes: C channels, R rows, S columns, L labels.

/// <summary>Weighs the channels of a network's last plane by the mean gradient of one class's logit.</summary>
/// <remarks>Source: Selvaraju et al., "Grad-CAM", equations 1 and 2. Parity: 1e-5 of the largest value.</remarks>
internal static class GradCam
{
    /// <summary>The places of the last plane that speak for a class.</summary>
    /// <param name="trace">The trace of one picture, with its last plane.</param>
    /// <param name="logits">Float [1, L], computed from that plane with gradients.</param>
    /// <param name="index">The class.</param>
    /// <returns>Values of at least 0; places that speak against the class have 0.</returns>
    public static HeatMap Compute(NetworkTrace trace, Tensor logits, int index)
    {
        using var scope = NewDisposeScope();
        var plane = trace.Plane ?? throw new InvalidOperationException("The network has no feature map to explain its answer with.");
        var gradient = autograd.grad([logits.select(1, index)], [plane])[0];
        var (rows, columns) = trace.PlaneSize;
        var area = rows * columns;
        var (values, slopes) = (ByChannel(plane), ByChannel(gradient));                           // [C, R S]
        var heat = new double[area];
        for (var start = 0; start < values.Length; start += area)
        {
            var weight = 0.0;
            for (var place = 0; place < area; place++)
            {
                weight += slopes[start + place];
            }

            weight /= area;
            for (var place = 0; place < area; place++)
            {
                heat[place] += weight * values[start + place];
            }
        }

        return new HeatMap(rows, columns, [.. heat.Select(h => (float)Math.Max(0, h))]);
    }

    /// <summary>A plane, float [1, C, R, S], or tokens, float [1, R S, C], channel by channel.</summary>
    private static float[] ByChannel(Tensor plane)
    {
        using var scope = NewDisposeScope();
        var channels = plane.dim() == 3 ? plane.transpose(1, 2) : plane;
        return channels.detach().to(float32).cpu().contiguous().data<float>().ToArray();
    }
}
