using TorchSharp;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

// Shapes: B batch of this process, C channels, N values of a channel in all processes.

/// <summary>Batch normalization of the batches of several processes as of one.</summary>
/// <remarks>Source: torch <c>SyncBatchNorm</c>. Parity: 1e-5 with <c>BatchNorm2d</c> on the whole batch; sums are taken in another order.</remarks>
internal sealed class SharedBatchNorm : autograd.SingleTensorFunction<SharedBatchNorm>
{
    private const int ValueCount = 8;
    private const string Errors = nameof(Errors);
    private const string Sum = nameof(Sum);
    private const string Values = nameof(Values);

    /// <inheritdoc/>
    public override string Name => nameof(SharedBatchNorm);

    /// <summary>Normalizes a batch in training.</summary>
    /// <param name="input">Float [B, C, ...], B at least 1.</param>
    /// <param name="state">Weights and statistics; these are moved.</param>
    /// <param name="momentum">Share of the batch in the running statistics.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="sum">Adds numbers up over the processes; called twice forward and once backward.</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public static Tensor Apply(Tensor input, BatchStatistics state, double momentum, double epsilon, Action<float[]> sum)
    {
        using var scope = NewDisposeScope();
        Tensor mean, variance;
        float count;
        using (no_grad())
        {
            var x = input.to(ScalarType.Float32);
            (var sums, count) = Total(x.sum(Rest(x)), x.numel() / x.shape[1], sum);
            mean = sums.Over(count);                                                            // [C]
            var centered = x.Minus(Wide(mean, x));
            (sums, _) = Total(centered.mul(centered).sum(Rest(x)), 0, sum);
            variance = sums.Over(count);                                                        // [C]
            KeptScalars.Plus_(state.Count, 1L);
            Move(state.Mean, mean, momentum);
            Move(state.Variance, sums.Over(Math.Max(1, count - 1)), momentum);
        }

        return apply(input, state.Weight, state.Bias, mean, variance, epsilon, count, sum).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, weight, bias) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor)vars[2]);
        var (mean, variance, epsilon) = ((Tensor)vars[3], (Tensor)vars[4], (double)vars[5]);
        ctx.save_for_backward([x, weight, mean, KeptScalars.Plus(variance, epsilon).rsqrt()]);
        ctx.save_data(Values, vars[6]);
        ctx.save_data(Sum, vars[7]);
        ctx.save_data(Errors, BackwardErrors.Current);
        return nn.functional.batch_norm(x, mean, variance, weight, bias, training: false, 0, epsilon);
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output) =>
        ((BackwardErrors)ctx.get_data(Errors)).Keep(ValueCount, () => Gradients(ctx, grad_output));

    private static List<Tensor> Gradients(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        var (x, weight, mean, factor) = (saved[0].to(ScalarType.Float32), saved[1], saved[2], saved[3]);
        var count = (float)ctx.get_data(Values);
        var gradient = grad_output.to(ScalarType.Float32);
        var normal = x.Minus(Wide(mean, x)).mul(Wide(factor, x));                               // [B, C, ...]
        var ofBias = gradient.sum(Rest(x));                                                     // [C]
        var ofWeight = gradient.mul(normal).sum(Rest(x));                                       // [C]
        var (sums, _) = Total(cat([ofBias, ofWeight]), 0, (Action<float[]>)ctx.get_data(Sum));
        var (biases, weights) = (sums.narrow(0, 0, x.shape[1]).Over(count), sums.narrow(0, x.shape[1], x.shape[1]).Over(count));
        var ofInput = gradient.Minus(Wide(biases, x)).Minus(normal.mul(Wide(weights, x))).mul(Wide(weight.mul(factor), x)).to(grad_output.dtype);
        return [ofInput.MoveToOuterDisposeScope(), ofWeight.MoveToOuterDisposeScope(), ofBias.MoveToOuterDisposeScope(), null!, null!, null!, null!, null!];
    }

    // All axes but that of the channels.
    private static long[] Rest(Tensor x) => [.. Enumerable.Range(0, (int)x.dim()).Where(axis => axis != 1).Select(axis => (long)axis)];

    private static Tensor Wide(Tensor ofChannels, Tensor x) => ofChannels.view([1, -1, .. Enumerable.Repeat(1L, (int)x.dim() - 2)]);

    private static (Tensor Sums, float Count) Total(Tensor own, long count, Action<float[]> sum)
    {
        float[] values = [.. own.data<float>(), count];
        sum(values);
        return (tensor(values.AsSpan(0, values.Length - 1).ToArray()), values[^1]);
    }

    private static void Move(Tensor running, Tensor value, double momentum) => running.copy_(running.Times(1 - momentum).Plus(value.Times(momentum)));
}
