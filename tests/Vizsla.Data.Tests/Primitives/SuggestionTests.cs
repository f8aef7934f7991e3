using Vizsla.Primitives;

namespace Vizsla.Data.Tests.Primitives;

public sealed class SuggestionTests
{
    [Theory]
    [InlineData("vitt", " Did you mean 'vit'?")]
    [InlineData("learning-rat", " Did you mean 'learning_rate'?")]
    [InlineData("resent", " Did you mean 'resnet'?")]
    [InlineData("completely_else", "")]
    public void The_nearest_name_is_suggested_when_it_is_near(string typed, string expected)
    {
        string[] known = ["deit", "learning_rate", "resnet", "vit"];

        Assert.Equal(expected, Suggestion.DidYouMean(typed, known));
    }
}
