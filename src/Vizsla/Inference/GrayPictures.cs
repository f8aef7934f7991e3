using Vizsla.Imaging;
using Vizsla.Models;
using static TorchSharp.torch;

namespace Vizsla.Inference;

/// <summary>One channel of pictures that were prepared as red, green and blue, for networks that were made for gray pictures (HF: <c>num_channels</c> 1).</summary>
/// <remarks>A gray picture has the same value three times, so that any of its channels is what Python's processors make of it. Parity: exact.</remarks>
// Shapes: B batch, H height, W width.
internal static class GrayPictures
{
    private const string HasColors =
        "the model takes gray pictures (num_channels is 1 in its config.json), and this one has colors; convert it to gray first";

    /// <summary>Whether a network takes gray pictures.</summary>
    public static bool AreTakenBy(ClassificationNetwork network) =>
        network.Configuration.WholeNumber("num_channels", network.Configuration.Section("vision_config").WholeNumber("num_channels", 3)) == 1;

    /// <summary>The one channel of a prepared picture.</summary>
    /// <param name="picture">Float [3, H, W], or [1, H, W], which is returned as it is; disposed otherwise.</param>
    /// <returns>Float [1, H, W]; the caller owns it.</returns>
    /// <exception cref="ImageFormatException">The picture has colors.</exception>
    public static ImageTensor OneChannel(ImageTensor picture)
    {
        if (picture.Channels == 1)
        {
            return picture;
        }

        using (picture)
        {
            var first = picture.Channel(0);
            if (!first.SequenceEqual(picture.Channel(1)) || !first.SequenceEqual(picture.Channel(2)))
            {
                throw new ImageFormatException(HasColors);
            }

            var gray = new ImageTensor(1, picture.Height, picture.Width);
            first.CopyTo(gray.Values);
            return gray;
        }
    }

    /// <summary>The one channel of a batch.</summary>
    /// <param name="pixels">Float [B, 3, H, W], or [B, 1, H, W].</param>
    /// <returns>Float [B, 1, H, W]; the caller owns it.</returns>
    /// <exception cref="ImageFormatException">One of the pictures has colors.</exception>
    public static Tensor OneChannel(Tensor pixels)
    {
        if (pixels.shape[1] == 1)
        {
            return pixels.alias();
        }

        using var scope = NewDisposeScope();
        var first = pixels.narrow(1, 0, 1);                                                       // [B, 1, H, W]
        return pixels.ne(first).any().item<bool>() ? throw new ImageFormatException(HasColors) : first.MoveToOuterDisposeScope();
    }
}
