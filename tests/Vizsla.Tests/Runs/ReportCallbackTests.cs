using Vizsla.Hub.Cards;
using Vizsla.Tests.Training;

namespace Vizsla.Tests.Runs;

public sealed class ReportCallbackTests
{
    [Fact]
    public void A_run_leaves_a_card_and_plots_of_the_weights_that_were_kept()
    {
        using var run = new TinyRun();

        run.Train(run.Arguments());

        var card = File.ReadAllText(Path.Combine(run.Output(), "README.md"));
        Assert.Equal("run", RepoCard.Parse(card).Metadata["model-index"]![0]!["name"]!.GetValue<string>());
        Assert.Contains("### Results of each class", card, StringComparison.Ordinal);
        Assert.Contains("the best by `accuracy`.", card, StringComparison.Ordinal);
        Assert.Contains("| Training   | train      | 42       | 3       | 14 ", card, StringComparison.Ordinal);
        Assert.Equal(6, Directory.GetFiles(Path.Combine(run.Output(), "plots"), "*.png").Length);
    }
}
