using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>What stands where <see cref="RandomErasing"/> erases: a number, a number per channel, or normal noise.</summary>
/// <remarks>Source: torchvision's <c>value</c> of RandomErasing.</remarks>
public sealed record EraseValue
{
    private EraseValue(ValueList<double> numbers) => Numbers = numbers;

    /// <summary>Normal noise of mean 0 and standard deviation 1, drawn anew each time.</summary>
    public static EraseValue Random { get; } = new([]);

    /// <summary>Zero.</summary>
    public static EraseValue Zero { get; } = 0.0;

    /// <summary>One number, or one per channel; empty for noise.</summary>
    public ValueList<double> Numbers { get; }

    /// <summary>Whether noise is drawn.</summary>
    public bool IsRandom => Numbers.Count == 0;

    /// <summary>The same number in every channel.</summary>
    public static implicit operator EraseValue(double number) => new([number]);

    /// <summary>A number for each of the three channels.</summary>
    public static implicit operator EraseValue((double Red, double Green, double Blue) numbers) => new([numbers.Red, numbers.Green, numbers.Blue]);

    /// <inheritdoc />
    public override string ToString() => IsRandom ? $"{nameof(EraseValue)}.{nameof(Random)}"
        : Numbers.Count == 1 ? PipelineText.ToCSharp(Numbers[0])
        : $"({string.Join(", ", Numbers.Select(number => PipelineText.ToCSharp(number)))})";

    /// <summary>A value of some numbers, for readers of JSON.</summary>
    internal static EraseValue From(ValueList<double> numbers) => new(numbers);
}
