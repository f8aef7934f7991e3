using Vizsla.Cli.Tests.Processes;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

public sealed class RecipeTests
{
    private static readonly string s_folder = Path.Combine(Golden.Checkout, "recipes");

    public static TheoryData<string> Recipes => [.. Directory.EnumerateFiles(s_folder, "*.jsonc").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    [Fact]
    public void There_is_one_for_each_of_the_usual_jobs() =>
        Assert.Superset(new HashSet<string> { "tutorial", "quickstart", "linear-probe", "small-data" }, Recipes.Select(r => r.Data).ToHashSet());

    [Theory]
    [MemberData(nameof(Recipes))]
    public void Says_for_what_it_is_how_it_is_called_and_what_to_expect(string name)
    {
        var header = File.ReadLines(Path.Combine(s_folder, $"{name}.jsonc")).TakeWhile(line => line.StartsWith("// ", StringComparison.Ordinal)).ToList();

        Assert.Contains(header, line => line.StartsWith("// Command:  vizsla ", StringComparison.Ordinal) && line.Contains(name, StringComparison.Ordinal));
        Assert.Contains(header, line => line.StartsWith("// Expect:   ", StringComparison.Ordinal));
        Assert.False(header[0].StartsWith("// Command", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Recipes))]
    public async Task Is_read_whole_and_fits_together(string name)
    {
        using var run = new AnimalRun();
        using var console = new ConsoleRun();

        // A run folder that is a file ends the command after everything was read and built, before the first step.
        File.WriteAllText(run.Output("file"), "");
        string[] model = name == "quickstart" ? [] : ["--model", run.Model];
        var code = await CommandLine.RunAsync(["train", "--dataset", run.Dataset, "--config", name, "--output", run.Output("file"), .. model], console.Console);

        Assert.Equal(1, code);
        Assert.Contains($"The run folder '{run.Output("file")}' cannot be created: ", console.ErrorText, StringComparison.Ordinal);
    }
}
