namespace Vizsla.Transforms;

/// <summary>A number or a range of two; what a single number stands for is the parameter's own rule (degrees: -x to x, brightness: 1 - x to 1 + x).</summary>
/// <remarks>Source: torchvision parameters of type <c>float | (float, float)</c>.</remarks>
public readonly record struct NumberOrRange
{
    private NumberOrRange(double low, double high, bool isRange) => (Low, High, IsRange) = (low, high, isRange);

    /// <summary>The single number.</summary>
    /// <param name="number">The number.</param>
    public NumberOrRange(double number)
        : this(number, number, isRange: false)
    {
    }

    /// <summary>A range.</summary>
    /// <param name="low">Lower end.</param>
    /// <param name="high">Upper end.</param>
    public NumberOrRange(double low, double high)
        : this(low, high, isRange: true)
    {
    }

    /// <summary>Lower end, or the number itself.</summary>
    public double Low { get; }

    /// <summary>Upper end, or the number itself.</summary>
    public double High { get; }

    /// <summary>Whether two numbers were given.</summary>
    public bool IsRange { get; }

    /// <summary>A single number.</summary>
    public static implicit operator NumberOrRange(double number) => new(number);

    /// <summary>A range of two numbers.</summary>
    public static implicit operator NumberOrRange((double Low, double High) range) => new(range.Low, range.High);

    /// <summary>The range that torchvision's <c>_setup_angle</c> makes: -x to x of a single number.</summary>
    internal (double Low, double High) AroundZero => IsRange ? (Low, High) : (-Low, Low);

    /// <inheritdoc />
    public override string ToString() => IsRange
        ? FormattableString.Invariant($"({Low}, {High})")
        : FormattableString.Invariant($"{Low}");
}
