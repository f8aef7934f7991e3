namespace Vizsla.Transforms;

/// <summary>A number or two; what a single number stands for is the parameter's own rule (degrees: -x to x, brightness: 1 - x to 1 + x, alpha: the same along both axes).</summary>
/// <remarks>Source: torchvision parameters of type <c>float | (float, float)</c>.</remarks>
public readonly record struct NumberOrPair
{
    private NumberOrPair(double low, double high, bool isPair) => (Low, High, IsPair) = (low, high, isPair);

    /// <summary>The single number.</summary>
    /// <param name="number">The number.</param>
    public NumberOrPair(double number)
        : this(number, number, isPair: false)
    {
    }

    /// <summary>Two numbers.</summary>
    /// <param name="low">First number: the lower end of a range.</param>
    /// <param name="high">Second number: the upper end of a range.</param>
    public NumberOrPair(double low, double high)
        : this(low, high, isPair: true)
    {
    }

    /// <summary>First number or lower end, or the single number itself.</summary>
    public double Low { get; }

    /// <summary>Second number or upper end, or the single number itself.</summary>
    public double High { get; }

    /// <summary>Whether two numbers were given.</summary>
    public bool IsPair { get; }

    /// <summary>The range that torchvision's <c>_setup_angle</c> makes: -x to x of a single number.</summary>
    internal (double Low, double High) AroundZero => IsPair ? (Low, High) : (-Low, Low);

    /// <summary>A single number.</summary>
    public static implicit operator NumberOrPair(double number) => new(number);

    /// <summary>Two numbers.</summary>
    public static implicit operator NumberOrPair((double Low, double High) pair) => new(pair.Low, pair.High);

    /// <inheritdoc />
    public override string ToString() => IsPair
        ? FormattableString.Invariant($"({Low}, {High})")
        : FormattableString.Invariant($"{Low}");
}
