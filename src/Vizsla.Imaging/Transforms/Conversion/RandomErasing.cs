using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Overwrites a random rectangle of the floats, with a given probability.</summary>
/// <param name="Probability">Between 0 and 1.</param>
/// <remarks>Source: torchvision <c>v2.RandomErasing</c> on tensors. Parity: exact.</remarks>
[Group(TransformGroup.Tensor)]
public sealed record RandomErasing([Parameter("p", Minimum = 0, Maximum = 1)] double Probability = 0.5) : TensorTransform
{
    /// <summary>Range of the rectangle's share of the area.</summary>
    [Parameter("scale", Minimum = 0, Maximum = 1)]
    public (double Low, double High) Scale { get; init; } = (0.02, 0.33);

    /// <summary>Range of the rectangle's height divided by its width.</summary>
    [Parameter("ratio", Minimum = 0)]
    public (double Low, double High) Ratio { get; init; } = (0.3, 3.3);

    /// <summary>What stands there afterwards; 0 by default.</summary>
    [Parameter("value")]
    public EraseValue Value { get; init; } = EraseValue.Zero;

    /// <inheritdoc />
    public override void Apply(ImageTensor tensor, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentNullException.ThrowIfNull(rng);
        if (!(rng.NextSingle() < (float)Probability)
            || RandomBox.DrawSmaller(tensor.Height, tensor.Width, Scale, Ratio, rng) is not { } box)
        {
            return;
        }

        // The noise is drawn before the place.
        var length = tensor.Channels * box.Height * box.Width;
        var noise = Value.IsRandom ? PixelPool<float>.Shared.Rent(Math.Max(length, 1)) : null;
        if (noise is not null)
        {
            rng.Normal(noise.AsSpan(0, length));
        }

        var top = rng.NextInt32(0, tensor.Height - box.Height + 1);
        var left = rng.NextInt32(0, tensor.Width - box.Width + 1);
        for (var channel = 0; channel < tensor.Channels; channel++)
        {
            for (var y = 0; y < box.Height; y++)
            {
                var target = tensor.Channel(channel).Slice(((top + y) * tensor.Width) + left, box.Width);
                if (noise is null)
                {
                    target.Fill((float)Value.Numbers[Value.Numbers.Count == 1 ? 0 : channel]);
                }
                else
                {
                    noise.AsSpan(((channel * box.Height) + y) * box.Width, box.Width).CopyTo(target);
                }
            }
        }

        if (noise is not null)
        {
            PixelPool<float>.Shared.Return(noise);
        }
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        Rules.CheckIncreasing("scale", Scale, problems);
        Rules.CheckIncreasing("ratio", Ratio, problems);
        if (Value.Numbers.Count is not (0 or 1 or 3))
        {
            problems.Add($"value has {Value.Numbers.Count} numbers; give one, one per channel, or \"random\".");
        }
    }
}
