using System.Globalization;
using System.Text;
using SkiaSharp;
using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Drawing;

/// <summary>Draws animals: a picture set for trying things out that needs no download and no licence.</summary>
/// <remarks>Pose, colours, background, size and grain are drawn at random; only the shape tells the class. The same generator state gives the same picture.</remarks>
internal static class AnimalPainter
{
    private const int JpegQuality = 92;

/// <summary>The animals that can be drawn, sorted.</summary>
    public static IReadOnlyList<string> Classes { get; } = ["butterfly", "fish", "giraffe", "rabbit", "snake", "spider"];

    /// <summary>Draws one picture.</summary>
    /// <param name="animal">One of <see cref="Classes"/>.</param>
    /// <param name="size">Width and height in pixels, 16 or more.</param>
    /// <param name="rng">The only source of randomness.</param>
    /// <returns>The picture; the caller owns it.</returns>
    /// <exception cref="ArgumentException">An animal that is not in <see cref="Classes"/>.</exception>
    public static Image Paint(string animal, int size, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(rng);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 16);
        using var bitmap = new SKBitmap(size, size, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using (var canvas = new SKCanvas(bitmap))
        {
            var background = Scenery.BackgroundColor(rng);
            Scenery.Paint(canvas, size, background, rng);
            var color = Scenery.AnimalColor(background, rng);
            using var body = new SKPaint { Color = color, IsAntialias = true };
            using var detail = new SKPaint { Color = Scenery.Near(color, 90, rng), IsAntialias = true };
            Pose(canvas, size, rng);
            Draw(animal, new AnimalShapes(canvas, body, detail, rng));
        }

        var image = new Image(size, size);
        var source = bitmap.GetPixelSpan();
        var pixels = image.Pixels;
        for (var i = 0; i < size * size; i++)
        {
            source.Slice(4 * i, 3).CopyTo(pixels[(3 * i)..]);
        }

        Scenery.AddGrain(pixels, rng);
        return image;
    }

    /// <summary>Writes a flat folder of JPEG files with a <c>labels.csv</c> (<c>id,breed</c>), classes in turn, as a user would have it.</summary>
    /// <param name="folder">Folder to write into; created if missing.</param>
    /// <param name="countPerClass">Pictures of each class.</param>
    /// <param name="size">Width and height in pixels.</param>
    /// <param name="seed">Seed; picture i is drawn by <c>Rng.ForSample(seed, 0, i)</c>.</param>
    /// <param name="cancellationToken">Stops between two pictures.</param>
    /// <returns>Path of the <c>labels.csv</c>.</returns>
    public static string WriteFolder(string folder, int countPerClass = 300, int size = 96, ulong seed = 13, CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(folder);
        var count = countPerClass * Classes.Count;
        var labels = new StringBuilder("id,breed\n");
        for (var i = 0; i < count; i++)
        {
            labels.Append(CultureInfo.InvariantCulture, $"{FileId(i)},{Classes[i % Classes.Count]}\n");
        }

        Parallel.For(0, count, new ParallelOptions { CancellationToken = cancellationToken }, i =>
        {
            using var image = Paint(Classes[i % Classes.Count], size, Rng.ForSample(seed, epoch: 0, i));
            ImageCodec.SaveJpeg(image, Path.Combine(folder, FileId(i) + ".jpg"), JpegQuality);
        });
        var path = Path.Combine(folder, "labels.csv");
        File.WriteAllText(path, labels.ToString());
        return path;
    }

    private static string FileId(int index) => string.Create(CultureInfo.InvariantCulture, $"animal-{index:D4}");

    private static void Pose(SKCanvas canvas, int size, Rng rng)
    {
        var scale = rng.Uniform(0.39, 0.47) * size;
        var room = Math.Max(0, (size / 2f) - (scale * 1.05f));
        canvas.Translate((size / 2f) + rng.Uniform(-room, room), (size / 2f) + rng.Uniform(-room, room));
        canvas.RotateDegrees(rng.Uniform(-10, 10));
        canvas.Scale((rng.NextSingle() < 0.5f ? -scale : scale) * rng.Uniform(0.88, 1.12), scale * rng.Uniform(0.88, 1.12));
    }

    private static void Draw(string animal, AnimalShapes shapes)
    {
        switch (animal)
        {
            case "butterfly":
                shapes.Butterfly();
                break;
            case "fish":
                shapes.Fish();
                break;
            case "giraffe":
                shapes.Giraffe();
                break;
            case "rabbit":
                shapes.Rabbit();
                break;
            case "snake":
                shapes.Snake();
                break;
            case "spider":
                shapes.Spider();
                break;
            default:
                throw new ArgumentException($"Unknown animal '{animal}'. Known: {string.Join(", ", Classes)}.{Suggestion.DidYouMean(animal, Classes)}", nameof(animal));
        }
    }
}
