using System.Numerics;
using Vizsla.Analysis;
using Vizsla.Primitives;

namespace Vizsla.Tests.Analysis;

public sealed class LabelReviewTests
{
    private const int Classes = 6;
    private const int Each = 20;
    private const int Width = 24;

    [Fact]
    public void Swapped_labels_are_listed_with_the_class_they_belong_to_and_no_others()
    {
        var (features, labels) = Clusters(seed: 3, noise: 0.3);
        var given = labels.ToArray();
        int[] swapped = [4, 33, 61, 99];
        foreach (var row in swapped)
        {
            given[row] = (given[row] + 2) % Classes;
        }

        var review = LabelReview.Run(features, given, Classes, new LabelReviewOptions { Threshold = 0.1 }, TestContext.Current.CancellationToken);

        Assert.Equal(swapped, review.Issues.Select(i => i.Row).Order());
        Assert.All(review.Issues, issue => Assert.Equal((given[issue.Row], labels[issue.Row]), (issue.Given, issue.Suggested)));
        Assert.Equal(review.Issues.Select(i => i.Score).Order(), review.Issues.Select(i => i.Score));
        Assert.All(review.Probabilities, row => Assert.Equal(1, row.Sum(), 1e-9));
    }

    [Fact]
    public void Right_labels_are_not_listed_and_the_seed_decides_the_folds()
    {
        var (features, labels) = Clusters(seed: 5, noise: 0.3);

        var first = LabelReview.Run(features, labels, Classes, new LabelReviewOptions { Seed = 1 }, TestContext.Current.CancellationToken);
        var again = LabelReview.Run(features, labels, Classes, new LabelReviewOptions { Seed = 1 }, TestContext.Current.CancellationToken);
        var other = LabelReview.Run(features, labels, Classes, new LabelReviewOptions { Seed = 2 }, TestContext.Current.CancellationToken);

        Assert.Empty(first.Issues);
        Assert.Equal(first.Probabilities.SelectMany(p => p), again.Probabilities.SelectMany(p => p));
        Assert.NotEqual(first.Probabilities.SelectMany(p => p), other.Probabilities.SelectMany(p => p));
    }

    [Fact]
    public void A_suspicious_label_that_its_neighbors_carry_stays()
    {
        var (features, labels) = Clusters(seed: 3, noise: 0.3);
        var given = labels.ToArray();
        given[4] = (given[4] + 2) % Classes;

        var trusting = LabelReview.Run(features, given, Classes, new LabelReviewOptions { Threshold = 0.2, NeighborShare = 1 }, TestContext.Current.CancellationToken);
        var all = LabelReview.Run(features, given, Classes, new LabelReviewOptions { Threshold = 1, NeighborShare = 0 }, TestContext.Current.CancellationToken);

        Assert.Contains(4, trusting.Issues.Select(i => i.Row));
        Assert.All(all.Issues, issue => Assert.Equal(0, all.Agreement[issue.Row]));
    }

    [Fact]
    public void Pictures_of_different_classes_that_are_each_others_nearest_look_alike()
    {
        var (features, labels) = Clusters(seed: 3, noise: 0.3);
        var (first, second) = (Array.IndexOf(labels, 0), Array.IndexOf(labels, 3));
        features[second] = [.. features[first]];

        var pair = LabelReview.Run(features, labels, Classes, cancellationToken: TestContext.Current.CancellationToken).Lookalikes()[0];

        Assert.Equal((Math.Min(first, second), Math.Max(first, second), 0.0), (pair.First, pair.Second, pair.Distance));
    }

    [Fact]
    public void A_class_of_one_row_cannot_be_reviewed()
    {
        var (features, labels) = Clusters(seed: 3, noise: 0.3);
        var given = labels.Select(l => l == 5 ? 4 : l).ToArray();
        given[0] = 5;

        var error = Assert.Throws<ArgumentException>(() => LabelReview.Run(features, given, Classes));

        Assert.Equal("Class 5 has one row; a review needs two at least of each class. (Parameter 'labels')", error.Message);
    }

    [Fact]
    public void A_map_keeps_neighbors_together()
    {
        var (features, labels) = Clusters(seed: 7, noise: 0.4);

        var map = PlaneMap.Layout(features, new PlaneMapOptions { Perplexity = 12, Iterations = 500 }, TestContext.Current.CancellationToken);

        Assert.True(PlaneMap.Trustworthiness(features, map) > 0.9);
        var nearest = Neighbors.Find([.. map.Select(p => new[] { p.X, p.Y })], 1, euclidean: true);
        Assert.True(nearest.Where((row, i) => labels[row[0].Row] == labels[i]).Count() > 0.95 * labels.Length);
    }

    [Fact]
    public void Trustworthiness_counts_the_strangers_among_the_nearest()
    {
        float[][] line = [[0], [1], [2.1f], [3.3f], [4.6f], [6]];

        var kept = PlaneMap.Trustworthiness(line, [.. line.Select(p => new Vector2(p[0], 0))], 1);
        // The ends change places.
        var swapped = PlaneMap.Trustworthiness(line, [.. new[] { 6f, 1, 2.1f, 3.3f, 4.6f, 0 }.Select(x => new Vector2(x, 0))], 1);

        Assert.Equal(1, kept, 1e-12);
        // By hand: row 0 gets its fourth row as nearest (3 too far), row 1 its fifth (4), row 5 its fourth (3); the others keep theirs.
        Assert.Equal(1 - (10 * 2.0 / (6 * 1 * ((2 * 6) - 3 - 1))), swapped, 1e-12);
    }

    private static (float[][] Features, int[] Labels) Clusters(ulong seed, double noise)
    {
        var rng = new Rng(seed);
        var centers = Enumerable.Range(0, Classes).Select(_ => Enumerable.Range(0, Width).Select(_ => rng.NextDouble() - 0.5).ToArray()).ToArray();
        var labels = Enumerable.Range(0, Classes * Each).Select(i => i % Classes).ToArray();
        return ([.. labels.Select(l => centers[l].Select(c => (float)(c + (noise * (rng.NextDouble() - 0.5)))).ToArray())], labels);
    }
}
