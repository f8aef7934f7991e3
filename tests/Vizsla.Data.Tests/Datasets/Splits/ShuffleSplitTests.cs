using Vizsla.Datasets.Splits;

namespace Vizsla.Tests.Datasets.Splits;

public sealed class ShuffleSplitTests
{
    [Theory]
    [InlineData(42u, new[] { 8, 5, 11, 3, 18, 16, 13, 2, 9, 19, 4, 12, 7, 10, 14, 6 }, new[] { 0, 17, 15, 1 })]
    [InlineData(0u, new[] { 10, 17, 6, 13, 4, 2, 5, 14, 9, 7, 16, 11, 3, 0, 15, 12 }, new[] { 18, 1, 19, 8 })]
    public void Gives_published_orders(uint seed, int[] train, int[] test)
    {
        var split = ShuffleSplit.Split(20, 0.2, seed);

        Assert.Equal(train, split.Train);
        Assert.Equal(test, split.Test);
    }

    [Fact]
    public void Without_a_seed_the_order_stays()
    {
        var (train, test) = ShuffleSplit.Split(5, 2, randomState: null);

        Assert.Equal([0, 1, 2], train);
        Assert.Equal([3, 4], test);
    }
}
