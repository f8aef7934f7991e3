namespace Vizsla.Transforms;

/// <summary>What a border around a picture is made of.</summary>
/// <remarks>Source: torchvision's <c>padding_mode</c>.</remarks>
public enum PaddingMode
{
    /// <summary>One color.</summary>
    Constant,

    /// <summary>The last pixel of the picture, again and again.</summary>
    Edge,

    /// <summary>The picture mirrored without its last pixel.</summary>
    Reflect,

    /// <summary>The picture mirrored with its last pixel.</summary>
    Symmetric,
}
