using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>The policies' operations with Pillow's arithmetic.</summary>
/// <remarks>Source: torchvision <c>_AutoAugmentBase._apply_image_or_video_transform</c>. Parity: exact.</remarks>
internal static class PictureOperations
{
    /// <summary>Applies an operation.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="operation">The operation.</param>
    /// <param name="strength">Its strength with sign, in the operation's own unit.</param>
    /// <param name="interpolation">Nearest, bilinear or bicubic, for operations that move pixels.</param>
    /// <param name="fill">Color of what comes from outside.</param>
    /// <returns>A picture of its own, or the argument itself.</returns>
    public static Image Apply(Image image, AugmentOperation operation, double strength, Interpolation interpolation, FillColor fill)
    {
        var middle = (image.Width * 0.5, image.Height * 0.5);
        return operation switch
        {
            AugmentOperation.ShearX => Affine((0, 0), (0, 0), (ShearAngle(strength), 0)),
            AugmentOperation.ShearY => Affine((0, 0), (0, 0), (0, ShearAngle(strength))),
            AugmentOperation.TranslateX => Affine(middle, ((int)strength, 0), (0, 0)),
            AugmentOperation.TranslateY => Affine(middle, (0, (int)strength), (0, 0)),
            AugmentOperation.Rotate => Rotation.Rotate(image, strength, interpolation, expand: false, null, fill),
            AugmentOperation.Brightness => Enhance.Brightness(image, 1 + strength),
            AugmentOperation.Color => Enhance.Saturation(image, 1 + strength),
            AugmentOperation.Contrast => Enhance.Contrast(image, 1 + strength),
            AugmentOperation.Sharpness => Enhance.Sharpness(image, 1 + strength),
            AugmentOperation.Posterize => Levels.Posterize(image, (int)strength),
            AugmentOperation.Solarize => Levels.Solarize(image, 255 * strength),
            AugmentOperation.AutoContrast => Levels.AutoContrast(image),
            AugmentOperation.Equalize => Levels.Equalize(image),
            AugmentOperation.Invert => Levels.Invert(image),
            _ => image,
        };

        Image Affine((double X, double Y) center, (double X, double Y) translate, (double X, double Y) shear) => AffineSampler.Transform(
            image, image.Width, image.Height, AffineMatrix.Inverse(center, 0, translate, 1, shear), interpolation, fill);
    }

    /// <summary>The angle in degrees whose tangent is the strength.</summary>
    public static double ShearAngle(double strength) => Math.Atan(strength) * (180 / Math.PI);
}
