using Vizsla.Primitives;

namespace Vizsla.Tests.Primitives;

/// <summary>Published values of numpy's two generators.</summary>
public sealed class NumpyTests
{
    [Theory]
    [InlineData(42u, 10, new[] { 8, 1, 5, 0, 7, 2, 9, 4, 3, 6 })]
    [InlineData(0u, 10, new[] { 2, 8, 4, 9, 1, 6, 7, 3, 0, 5 })]
    [InlineData(1234u, 8, new[] { 2, 1, 6, 0, 4, 5, 3, 7 })]
    public void The_legacy_generator_permutes(uint seed, int count, int[] expected) => Assert.Equal(expected, new NumpyRandomState(seed).Permutation(count));

    [Fact]
    public void The_legacy_generator_draws_doubles()
    {
        var rng = new NumpyRandomState(42);

        Assert.Equal([0.3745401188473625, 0.9507143064099162, 0.7319939418114051], [rng.NextDouble(), rng.NextDouble(), rng.NextDouble()]);
    }

    [Theory]
    [InlineData(0ul, 10, new[] { 4, 6, 2, 7, 3, 5, 9, 0, 8, 1 })]
    [InlineData(42ul, 10, new[] { 5, 6, 0, 7, 3, 2, 4, 9, 1, 8 })]
    [InlineData(1234ul, 8, new[] { 5, 6, 7, 0, 4, 1, 3, 2 })]
    public void The_generator_of_today_permutes(ulong seed, int count, int[] expected) => Assert.Equal(expected, new NumpyGenerator(seed).Permutation(count));

    [Fact]
    public void The_generator_of_today_draws_bits_and_doubles()
    {
        var words = new NumpyGenerator(42);
        var halves = new NumpyGenerator(42);
        var doubles = new NumpyGenerator(12345);

        Assert.Equal([0xc621fbcd16d92688ul, 0x705a5661a791ffc1ul, 0xdbcd12c26eda1624ul], [words.NextUInt64(), words.NextUInt64(), words.NextUInt64()]);
        Assert.Equal([383329928u, 3324115917u, 2811363265u, 1884968545u], [halves.NextUInt32(), halves.NextUInt32(), halves.NextUInt32(), halves.NextUInt32()]);
        Assert.Equal([0.22733602246716966, 0.31675833970975287, 0.7973654573327341], [doubles.NextDouble(), doubles.NextDouble(), doubles.NextDouble()]);
    }

    // numpy: default_rng(7).choice(10, 4, replace=False); default_rng(7).choice(20000, 1000, replace=False)[:4]; default_rng(7).choice(3, 8, p=[.5, .3, .2])
    [Fact]
    public void The_generator_of_today_chooses()
    {
        int[] large = [.. Enumerable.Range(0, 20000)];

        Assert.Equal([6, 5, 9, 8], new NumpyGenerator(7).Choose(large.AsSpan(0, 10), 4));
        Assert.Equal([3762, 1432, 9397, 10263], new NumpyGenerator(7).Choose(large, 1000)[..4]);
        Assert.Equal([1, 2, 1, 0, 0, 2, 0, 2], new NumpyGenerator(7).ChooseWeighted([0.5, 0.3, 0.2], 8));
    }
}
