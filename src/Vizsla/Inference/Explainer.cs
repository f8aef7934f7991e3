using TorchSharp;
using Vizsla.Models;
using static TorchSharp.torch;

namespace Vizsla.Inference;

// Shapes: B batch, C channels, H height, W width, F features, L labels.

/// <summary>Runs a network on one picture and asks it where it looked.</summary>
internal static class Explainer
{
    /// <summary>Attention rollout where every token attends to the whole picture, else Grad-CAM.</summary>
    /// <param name="network">The network, in evaluation mode.</param>
    /// <param name="pixels">Float [1, C, H, W].</param>
    /// <param name="classIndex">The class to explain; null takes the most likely.</param>
    /// <returns>All logits, the class that is explained, and the map.</returns>
    public static (float[] Logits, int Index, HeatMap Heat, ExplanationMethod Method) Explain(ClassificationNetwork network, Tensor pixels, int? classIndex)
    {
        var attends = network.AttendsGlobally;
        using var scope = NewDisposeScope();
        using var gradients = set_grad_enabled(!attends);
        using var trace = new NetworkTrace(withAttentions: attends, withPlane: !attends);
        // Gradients start at the pixels, so that they reach the plane also where the weights are frozen.
        var input = pixels.detach();
        input.requires_grad = !attends;
        NumberGuard.Require(network, input);
        var logits = network.Head(network.Features(input, trace));                                // [1, L]
        var values = logits.detach().to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
        var index = classIndex ?? values.AsSpan().IndexOf(values.Max());
        return trace.Tokens is { } tokens
            ? (values, index, AttentionRollout.Compute(trace.Attentions, tokens), ExplanationMethod.AttentionRollout)
            : (values, index, GradCam.Compute(trace, logits, index), ExplanationMethod.GradCam);
    }
}
