using Vizsla.Primitives;

namespace Vizsla.Tests.Primitives;

public sealed class RngTests
{
    [Fact]
    public void A_state_goes_on_where_it_was_taken()
    {
        var rng = new Rng(7);
        rng.NextNormal();
        rng.Normal(new float[20]);
        var state = rng.GetState();
        double[] expected = [rng.NextNormal(), rng.NextNormal(), rng.NextSingle(), rng.NextInt64()];

        var other = new Rng(0);
        other.SetState(state);

        Assert.Equal(Rng.StateSize, state.Length);
        double[] actual = [other.NextNormal(), other.NextNormal(), other.NextSingle(), other.NextInt64()];
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void Bytes_that_are_no_state_are_refused()
    {
        Assert.Equal("A generator's state has 5056 bytes, got 3. (Parameter 'state')", Assert.Throws<ArgumentException>(() => new Rng(0).SetState([1, 2, 3])).Message);
        Assert.Throws<ArgumentException>(() => new Rng(0).SetState(new byte[Rng.StateSize]));
    }

    [Fact]
    public void A_sample_has_a_generator_of_its_own_in_every_epoch()
    {
        var first = Rng.ForSample(42, 0, 7).NextUInt64();

        Assert.Equal(first, Rng.ForSample(42, 0, 7).NextUInt64());
        Assert.NotEqual(first, Rng.ForSample(42, 1, 7).NextUInt64());
        Assert.NotEqual(first, Rng.ForSample(42, 0, 8).NextUInt64());
        Assert.NotEqual(first, Rng.ForSample(43, 0, 7).NextUInt64());
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(3, 620)]
    [InlineData(623, 2)]
    [InlineData(624, 3000)]
    [InlineData(100, 1249)]
    public void Many_numbers_at_once_are_those_that_come_one_by_one(int before, int count)
    {
        var (together, single) = (new Rng(11), new Rng(11));
        for (var i = 0; i < before; i++)
        {
            together.NextUInt32();
            single.NextUInt32();
        }

        var numbers = new float[count];
        together.Fill(numbers);

        Assert.Equal(Enumerable.Range(0, count).Select(_ => single.NextSingle()), numbers);
        Assert.Equal(single.NextUInt32(), together.NextUInt32());
    }

    [Fact]
    public void A_permutation_holds_every_number_once()
    {
        var order = new int[1000];

        new Rng(3).Permutation(order);

        Assert.Equal(Enumerable.Range(0, 1000), order.Order());
    }
}
