using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Extensions.Tests;

/// <summary>Pictures of six colors with noise, and their <c>labels.csv</c>: made with what is public alone.</summary>
internal static class Photos
{
    private static readonly (string Name, int Red, int Green, int Blue)[] s_colors =
        [("black", 20, 20, 20), ("blue", 30, 60, 200), ("green", 40, 170, 60), ("orange", 230, 140, 30), ("red", 200, 30, 40), ("white", 230, 230, 230)];

    public static void Write(string folder, int countPerClass, int size)
    {
        var rng = new Rng(13);
        Directory.CreateDirectory(folder);
        var rows = new List<string> { "id,breed" };
        foreach (var (name, red, green, blue) in s_colors)
        {
            for (var i = 0; i < countPerClass; i++)
            {
                using var image = new Image(size, size);
                for (var at = 0; at < image.Pixels.Length; at += 3)
                {
                    var noise = rng.NextInt32(-20, 21);
                    (image.Pixels[at], image.Pixels[at + 1], image.Pixels[at + 2]) = ((byte)(red + noise), (byte)(green + noise), (byte)(blue + noise));
                }

                ImageCodec.SaveJpeg(image, Path.Combine(folder, $"{name}-{i}.jpg"));
                rows.Add($"{name}-{i},{name}");
            }
        }

        File.WriteAllLines(Path.Combine(folder, "labels.csv"), rows);
    }
}
