using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>AdamW on all parameters in one pass over their memory, without reading anything back.</summary>
/// <remarks>
/// <para>Gradients are left as they are unless <c>gradientScale</c> is given, by which they are divided on the way.</para>
/// <para>Source: <c>torch.optim.AdamW(fused=True)</c>, operator <c>aten::_fused_adamw_</c>. Parity: 1e-6.</para>
/// </remarks>
internal static class FusedAdamW
{
    /// <summary>Whether the operator can be called; without it, step parameter by parameter.</summary>
    public static bool IsAvailable => Dispatcher.IsAvailable;

    /// <summary>Takes one step. All lists are parallel, on one device and of one floating type.</summary>
    /// <param name="parameters">Parameters, changed in place.</param>
    /// <param name="gradients">Their gradients.</param>
    /// <param name="means">Means of gradients (<c>exp_avg</c>), changed in place.</param>
    /// <param name="squares">Means of squared gradients (<c>exp_avg_sq</c>), changed in place.</param>
    /// <param name="steps">For each parameter how many steps it has taken, this one included.</param>
    /// <param name="numbers">Learning rate, decay and the rest.</param>
    /// <param name="gradientScale">A float scalar by which gradients are divided; null leaves them.</param>
    public static void Step(
        IReadOnlyList<Tensor> parameters, IReadOnlyList<Tensor> gradients, IReadOnlyList<Tensor> means, IReadOnlyList<Tensor> squares,
        IReadOnlyList<long> steps, AdamWNumbers numbers, Tensor? gradientScale = null)
    {
        if (parameters.Count == 0)
        {
            return;
        }

        using var noGradient = no_grad();
        using var scope = NewDisposeScope();

        // Parameters that started together share one counter; the operator only reads it.
        var counters = steps.Distinct().ToDictionary(step => step, step => tensor((float)step, device: parameters[0].device));
        Dispatcher.Call(
            "aten::_fused_adamw_",
            "",
            OperatorArgument.List(parameters),
            OperatorArgument.List(gradients),
            OperatorArgument.List(means),
            OperatorArgument.List(squares),
            OperatorArgument.List([]),
            OperatorArgument.List([.. steps.Select(step => counters[step])]),
            numbers.LearningRate,
            numbers.Beta1,
            numbers.Beta2,
            numbers.WeightDecay,
            numbers.Epsilon,
            false,
            false,
            OperatorArgument.Optional(gradientScale),
            OperatorArgument.None);
    }
}

/// <summary>The numbers of one step of AdamW.</summary>
/// <param name="LearningRate">Learning rate.</param>
/// <param name="Beta1">Decay of the mean of gradients.</param>
/// <param name="Beta2">Decay of the mean of squared gradients.</param>
/// <param name="Epsilon">Term in the denominator.</param>
/// <param name="WeightDecay">Decoupled weight decay.</param>
internal readonly record struct AdamWNumbers(double LearningRate, double Beta1, double Beta2, double Epsilon, double WeightDecay);
