namespace Vizsla.Models.Layers;

/// <summary>Rounds scaled numbers of channels.</summary>
/// <remarks>Source: TensorFlow's and timm's <c>make_divisible</c>.</remarks>
internal static class ChannelRounding
{
    private const double LeastShare = 0.9;

    /// <summary>The nearest multiple, never below nine tenths of the value nor below the smallest.</summary>
    /// <param name="value">Channels before rounding.</param>
    /// <param name="divisor">What the result is a multiple of.</param>
    /// <param name="smallest">The smallest result; null takes the divisor.</param>
    public static int ToMultiple(double value, int divisor, int? smallest = null)
    {
        var rounded = Math.Max(smallest ?? divisor, (int)(value + divisor / 2.0) / divisor * divisor);
        return rounded < LeastShare * value ? rounded + divisor : rounded;
    }
}
