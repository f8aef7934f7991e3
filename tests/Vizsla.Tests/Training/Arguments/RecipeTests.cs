using Vizsla.Testing;
using Vizsla.Training.Arguments;

namespace Vizsla.Tests.Training.Arguments;

public sealed class RecipeTests
{
    [Theory]
    [InlineData("linear-probe.jsonc")]
    [InlineData("small-data.jsonc")]
    [InlineData("tutorial.jsonc")]
    public void Every_argument_of_a_recipe_is_known_and_they_fit_together(string name)
    {
        var values = ArgumentReader.ReadFile(Path.Combine(Golden.Checkout, "recipes", name));

        Assert.Equal("accuracy", new ArgumentReader().Take(values).Finish().MetricForBestModel);
    }
}
