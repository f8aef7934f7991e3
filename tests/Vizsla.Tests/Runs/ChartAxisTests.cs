using Vizsla.Runs.Charts;

namespace Vizsla.Tests.Runs;

public sealed class ChartAxisTests
{
    [Theory]
    [InlineData(0, 1, "0 0.2 0.4 0.6 0.8 1.0")]
    [InlineData(0.1, 1.95, "0 0.5 1.0 1.5 2.0")]
    [InlineData(0, 2e-5, "0 5e-6 1e-5 1.5e-5 2e-5")]
    [InlineData(-3, 40, "-10 0 10 20 30 40")]
    [InlineData(5, 5, "2 3 4 5 6 7 8")]
    public void Ticks_are_round_numbers_that_hold_all_values(double low, double high, string expected)
    {
        var axis = ChartAxis.Fit([low, high, double.NaN], 0, 100, 6);

        Assert.Equal(expected, string.Join(' ', axis.Ticks.Select(axis.Label)));
        Assert.InRange(axis.Pixel(low), 0, 100);
        Assert.InRange(axis.Pixel(high), 0, 100);
    }

    [Fact]
    public void Ticks_of_steps_are_whole()
    {
        var axis = ChartAxis.Fit([1, 3], 0, 100, 8, isWhole: true, isRounded: false);

        Assert.Equal(["1", "2", "3"], axis.Ticks.Select(axis.Label));
    }

    [Fact]
    public void Without_values_there_is_an_axis_all_the_same()
    {
        var axis = ChartAxis.Fit([], 0, 100, 4);

        Assert.NotEmpty(axis.Ticks);
    }
}
