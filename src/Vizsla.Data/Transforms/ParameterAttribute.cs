namespace Vizsla.Transforms;

/// <summary>What Python calls a parameter of a transform, and which numbers it takes.</summary>
/// <param name="name">Name in torchvision and in JSON (<c>p</c>, <c>kernel_size</c>).</param>
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.Property)]
public sealed class ParameterAttribute(string name) : Attribute
{
    /// <summary>Name in torchvision and in JSON.</summary>
    public string Name { get; } = name;

    /// <summary>Smallest number allowed; every number of a pair or list must hold it.</summary>
    public double Minimum { get; init; } = double.NegativeInfinity;

    /// <summary>Largest number allowed; every number of a pair or list must hold it.</summary>
    public double Maximum { get; init; } = double.PositiveInfinity;

    /// <summary>JSON of a sensible value for a parameter that has no default, for a form to start from.</summary>
    public string? Example { get; init; }
}
