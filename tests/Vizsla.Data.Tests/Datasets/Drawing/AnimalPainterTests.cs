using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Tests.Datasets.Drawing;

public sealed class AnimalPainterTests
{
    private const int Size = 96;

    [Fact]
    public void Draws_at_least_six_animals() => Assert.True(AnimalPainter.Classes.Count >= 6);

    [Fact]
    public void The_same_generator_gives_the_same_picture()
    {
        using var first = AnimalPainter.Paint("fish", Size, new Rng(7));
        using var second = AnimalPainter.Paint("fish", Size, new Rng(7));
        using var other = AnimalPainter.Paint("fish", Size, new Rng(8));

        Assert.True(first.Pixels.SequenceEqual(second.Pixels));
        Assert.False(first.Pixels.SequenceEqual(other.Pixels));
    }

    [Fact]
    public void An_unknown_animal_is_refused_with_the_known_ones()
    {
        var error = Assert.Throws<ArgumentException>(() => AnimalPainter.Paint("spidr", Size, new Rng(0)));

        Assert.StartsWith("Unknown animal 'spidr'. Known: butterfly, fish, giraffe, rabbit, snake, spider. Did you mean 'spider'?", error.Message, StringComparison.Ordinal);
    }

    // The quick start's accuracy must come from shapes: colours alone decide little better than chance (1/6).
    [Fact]
    public void Colors_do_not_give_the_class_away()
    {
        const int PerClass = 120;
        const int TrainPerClass = 90;
        var classes = AnimalPainter.Classes.Count;
        double[][] histograms = [.. Enumerable.Range(0, PerClass * classes).AsParallel().AsOrdered().Select(i => Histogram(i, classes))];

        double[][] means = [.. Enumerable.Range(0, classes).Select(c => Mean(histograms.Take(TrainPerClass * classes).Where((_, i) => i % classes == c)))];
        var tested = Enumerable.Range(TrainPerClass * classes, (PerClass - TrainPerClass) * classes).ToList();
        var right = tested.Count(i => Nearest(means, histograms[i]) == i % classes);

        Assert.True(right < 0.5 * tested.Count, $"{right} of {tested.Count} pictures are told by color alone.");
    }

    [Fact]
    public void Writes_a_flat_folder_with_labels()
    {
        var folder = Directory.CreateTempSubdirectory("vizsla-animals-");
        try
        {
            var labels = AnimalPainter.WriteFolder(folder.FullName, countPerClass: 2, size: 32);

            var lines = File.ReadAllLines(labels);
            Assert.Equal("id,breed", lines[0]);
            Assert.Equal("animal-0000,butterfly", lines[1]);
            Assert.Equal(2 * AnimalPainter.Classes.Count, lines.Length - 1);
            Assert.Equal(lines.Skip(1).Select(l => l.Split(',')[0] + ".jpg"), folder.GetFiles("*.jpg").Select(f => f.Name).Order(StringComparer.Ordinal));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static double[] Histogram(int index, int classes)
    {
        const int Levels = 4;
        using var image = AnimalPainter.Paint(AnimalPainter.Classes[index % classes], Size, Rng.ForSample(99, 0, index));
        return Histogram(image, Levels);
    }

    private static double[] Histogram(Image image, int levels)
    {
        var counts = new double[levels * levels * levels];
        var pixels = image.Pixels;
        for (var i = 0; i < pixels.Length; i += 3)
        {
            var (red, green, blue) = (pixels[i] * levels / 256, pixels[i + 1] * levels / 256, pixels[i + 2] * levels / 256);
            counts[(((red * levels) + green) * levels) + blue] += 3.0 / pixels.Length;
        }

        return counts;
    }

    private static double[] Mean(IEnumerable<double[]> histograms)
    {
        var all = histograms.ToList();
        return [.. Enumerable.Range(0, all[0].Length).Select(bin => all.Average(h => h[bin]))];
    }

    private static int Nearest(double[][] means, double[] histogram) =>
        Enumerable.Range(0, means.Length).MinBy(c => means[c].Zip(histogram, (a, b) => (a - b) * (a - b)).Sum());
}
