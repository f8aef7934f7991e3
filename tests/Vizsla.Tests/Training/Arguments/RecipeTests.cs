using Vizsla.Testing;
using Vizsla.Training.Arguments;

namespace Vizsla.Tests.Training.Arguments;

public sealed class RecipeTests
{
    // What the train verb takes out of a recipe for itself.
    private static readonly string[] VerbsKeys = ["from_scratch", "image_size", "model", "transforms"];

    public static TheoryData<string> Names() =>
        [.. Directory.EnumerateFiles(Path.Combine(Golden.Checkout, "recipes")).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_argument_of_a_recipe_is_known_and_they_fit_together(string name)
    {
        var path = Path.Combine(Golden.Checkout, "recipes", name);
        var values = ArgumentReader.ReadFile(path);
        foreach (var key in VerbsKeys)
        {
            values.Remove(key);
        }

        var arguments = new ArgumentReader().Take(values).Finish();

        Assert.NotEqual(new TrainingArguments(), arguments);
        Assert.StartsWith("// ", File.ReadAllText(path), StringComparison.Ordinal);
    }
}
