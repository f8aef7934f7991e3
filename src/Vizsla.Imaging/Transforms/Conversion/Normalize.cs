using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Subtracts a mean from each channel and divides by a standard deviation.</summary>
/// <param name="Mean">Mean per channel, in the unit of the floats (0 to 1 after <c>ToDtype(Scale: true)</c>); one or three numbers.</param>
/// <param name="Std">Standard deviation per channel, not zero; one or three numbers.</param>
/// <remarks>Source: torchvision <c>v2.Normalize</c>. Parity: exact.</remarks>
[Group(TransformGroup.Tensor)]
public sealed record Normalize(
    [Parameter("mean", Example = "[0.485, 0.456, 0.406]")] ValueList<double> Mean,
    [Parameter("std", Example = "[0.229, 0.224, 0.225]")] ValueList<double> Std) : TensorTransform
{
    /// <inheritdoc />
    public override bool IsRandom => false;

    /// <inheritdoc />
    public override void Apply(ImageTensor tensor, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        for (var channel = 0; channel < tensor.Channels; channel++)
        {
            foreach (ref var value in tensor.Channel(channel))
            {
                value = Apply(channel, value);
            }
        }
    }

    /// <summary>The result for one value.</summary>
    /// <param name="channel">Channel from 0.</param>
    /// <param name="value">The value.</param>
    internal float Apply(int channel, float value) => (value - Pick(Mean, channel)) / Pick(Std, channel);

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        if (Mean.Count is not (1 or 3))
        {
            problems.Add($"mean has {Mean.Count} numbers; give one, or one per channel.");
        }

        if (Std.Count is not (1 or 3))
        {
            problems.Add($"std has {Std.Count} numbers; give one, or one per channel.");
        }

        if (Std.Contains(0))
        {
            problems.Add("std holds a zero, which would divide by zero.");
        }
    }

    private static float Pick(ValueList<double> values, int channel) => (float)values[values.Count == 1 ? 0 : channel];
}
