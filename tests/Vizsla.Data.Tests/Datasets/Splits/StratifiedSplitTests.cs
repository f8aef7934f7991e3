using Vizsla.Datasets;
using Vizsla.Datasets.Splits;

namespace Vizsla.Tests.Datasets.Splits;

public sealed class StratifiedSplitTests
{
    private static readonly string[] s_labels = [.. Enumerable.Repeat("a", 6), .. Enumerable.Repeat("b", 3), .. Enumerable.Repeat("c", 3)];

    [Theory]
    [InlineData(42u, new[] { 0, 1, 7, 2, 4, 9, 10, 8, 5 }, new[] { 11, 6, 3 })]
    [InlineData(0u, new[] { 10, 3, 8, 2, 1, 0, 11, 5, 6 }, new[] { 7, 4, 9 })]
    public void Gives_published_orders(uint seed, int[] train, int[] test)
    {
        var split = StratifiedSplit.Split(s_labels, 0.25, seed);

        Assert.Equal(train, split.Train);
        Assert.Equal(test, split.Test);
    }

    [Fact]
    public void Names_the_classes_with_one_member()
    {
        var error = Assert.Throws<DatasetException>(() => StratifiedSplit.Split([.. s_labels, "z", "y"], 0.25, 0));

        Assert.Equal("The least populated classes in y have only 1 member, which is too few. The minimum number of groups for any class cannot be less than 2. Classes with too few members are: ['y', 'z']", error.Message);
    }

    [Fact]
    public void A_part_smaller_than_the_number_of_classes_is_refused()
    {
        var error = Assert.Throws<DatasetException>(() => StratifiedSplit.Split(s_labels, 2, 0));

        Assert.Equal("The test_size = 2 should be greater or equal to the number of classes = 3", error.Message);
    }

    [Theory]
    [InlineData("1.0", null, "test_size=1.0 should be either positive and smaller than the number of samples 12 or a float in the (0, 1) range")]
    [InlineData("12", null, "test_size=12 should be either positive and smaller than the number of samples 12 or a float in the (0, 1) range")]
    [InlineData(null, "-0.5", "train_size=-0.5 should be either positive and smaller than the number of samples 12 or a float in the (0, 1) range")]
    [InlineData("0.6", "0.5", "The sum of test_size and train_size = 1.1, should be in the (0, 1) range. Reduce test_size and/or train_size.")]
    [InlineData("8", "0.5", "The sum of train_size and test_size = 14, should be smaller than the number of samples 12. Reduce test_size and/or train_size.")]
    [InlineData("6", "0.01", "With n_samples=12, test_size=6 and train_size=0.01, the resulting train set will be empty. Adjust any of the aforementioned parameters.")]
    public void Sizes_outside_are_refused_in_the_words_of_scikit_learn(string? test, string? train, string message)
    {
        var error = Assert.Throws<DatasetException>(() => StratifiedSplit.Split(s_labels, Parse(test), 0, Parse(train)));

        Assert.Equal(message, error.Message);
    }

    private static SplitSize? Parse(string? text) => SplitSize.TryParse(text, out var size) ? size : null;
}
