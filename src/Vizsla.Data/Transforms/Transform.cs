using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>One step of a preprocessing pipeline: a value with equality, not an object with state.</summary>
/// <remarks>Source: torchvision <c>v2.Transform</c>.</remarks>
public abstract record Transform
{
    private protected Transform()
    {
    }
}

/// <summary>A step from an 8-bit RGB picture to another; the extension point for a transform of one's own.</summary>
public abstract record ImageTransform : Transform
{
    /// <summary>Returns the changed picture, or <paramref name="image"/> itself where nothing changes.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <param name="rng">The only source of randomness.</param>
    /// <returns>A picture that the caller owns when it is not <paramref name="image"/>.</returns>
    public abstract Image Apply(Image image, Rng rng);
}

/// <summary>The one step from an 8-bit picture to floats.</summary>
public abstract record ConversionTransform : Transform
{
    /// <summary>Writes the picture as floats, channel by channel.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="destination">Float [3, H, W] of the picture's size.</param>
    public abstract void Convert(Image image, ImageTensor destination);
}

/// <summary>A step that changes the floats of a picture in place, such as <c>Normalize</c> or <c>RandomErasing</c>.</summary>
public abstract record TensorTransform : Transform
{
    /// <summary>Changes the values in place.</summary>
    /// <param name="tensor">Float [C, H, W].</param>
    /// <param name="rng">The only source of randomness.</param>
    public abstract void Apply(ImageTensor tensor, Rng rng);
}
