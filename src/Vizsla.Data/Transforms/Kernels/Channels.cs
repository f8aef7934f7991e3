using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Puts the channels of pictures in another order.</summary>
internal static class Channels
{
    /// <summary>Makes a picture whose channel i is the source's channel order[i].</summary>
    public static Image Permute(Image image, ReadOnlySpan<int> order)
    {
        var result = new Image(image.Width, image.Height);
        var source = image.Pixels;
        var target = result.Pixels;
        var (first, second, third) = (order[0], order[1], order[2]);
        for (var i = 0; i < source.Length; i += 3)
        {
            target[i] = source[i + first];
            target[i + 1] = source[i + second];
            target[i + 2] = source[i + third];
        }

        return result;
    }
}
