namespace Vizsla.Transforms;

/// <summary>The data set that a policy was found on.</summary>
/// <remarks>Source: torchvision <c>AutoAugmentPolicy</c>.</remarks>
public enum AutoAugmentPolicy
{
    /// <summary>ImageNet.</summary>
    ImageNet,

    /// <summary>CIFAR-10.</summary>
    Cifar10,

    /// <summary>Street View House Numbers.</summary>
    Svhn,
}
