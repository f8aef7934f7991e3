using Vizsla.Analysis;
using Vizsla.Primitives;

namespace Vizsla.Tests.Analysis;

public sealed class LabelOrderTests
{
    private const int Groups = 4;
    private const int Each = 25;

    [Fact]
    public void Before_there_are_classes_the_first_photos_are_of_different_groups()
    {
        var order = new LabelOrder(Blobs(0.05));

        var first = order.Next([], Groups);

        Assert.Equal(Groups, first.Select(GroupOf).Distinct().Count());
    }

    [Fact]
    public void Afterwards_the_photo_between_two_classes_comes_first()
    {
        var features = Blobs(0.02).ToList();
        features.Add([0.5f, 0.5f, 0, 0, 0.1f]);
        var order = new LabelOrder(features);
        Dictionary<int, int> labels = new() { [0] = 0, [1] = 0, [Each] = 1, [Each + 1] = 1, [2 * Each] = 2, [3 * Each] = 3 };
        order.Learn(labels, Groups);

        Assert.Equal(features.Count - 1, order.Next(labels.Keys, 5)[0]);
        Assert.Equal([0, 1], new[] { 5, Each + 5 }.Select(i => Array.IndexOf(order.Probabilities(i)!, order.Probabilities(i)!.Max())));
    }

    [Fact]
    public void Nothing_is_asked_twice_and_all_is_asked_in_the_end()
    {
        var order = new LabelOrder(Blobs(0.2));
        var done = new Dictionary<int, int>();
        while (order.Next(done.Keys, 7) is { Count: > 0 } next)
        {
            foreach (var photo in next)
            {
                done.Add(photo, GroupOf(photo));
            }

            order.Learn(done, Groups);
        }

        Assert.Equal(Groups * Each, done.Count);
    }

    [Fact]
    public void The_forecast_lies_near_what_the_labels_then_bring()
    {
        var order = new LabelOrder(Blobs(0.45));
        var all = Enumerable.Range(0, Groups * Each).ToDictionary(i => i, GroupOf);
        var few = all.Where(l => l.Key % Each < 8).ToDictionary();

        var early = order.Forecast(few, Groups, all.Count - few.Count)!;
        var late = order.Forecast(all, Groups, 1)!;

        Assert.Equal((few.Count, all.Count - few.Count), (early.Labels, early.More));
        Assert.InRange(early.Expected, early.Accuracy, 1);
        Assert.Equal(late.Accuracy, early.Expected, 0.15);
    }

    [Fact]
    public void Too_few_labels_forecast_nothing() => Assert.Null(new LabelOrder(Blobs(0.1)).Forecast(new Dictionary<int, int> { [0] = 0, [1] = 0, [Each] = 1 }, 2, 50));

    [Fact]
    public void Features_of_different_lengths_are_refused() =>
        Assert.StartsWith("Expected features of one length for one photo at least, got 2 photos.", Assert.Throws<ArgumentException>(() => new LabelOrder([[1f], [1f, 2f]])).Message, StringComparison.Ordinal);

    private static int GroupOf(int photo) => photo / Each;

    private static float[][] Blobs(double spread)
    {
        var rng = new Rng(6);
        return [.. Enumerable.Range(0, Groups * Each).Select(i => Enumerable.Range(0, Groups + 1).Select(d => (d == GroupOf(i) ? 1f : 0f) + (float)(spread * rng.NextNormal())).ToArray())];
    }
}
