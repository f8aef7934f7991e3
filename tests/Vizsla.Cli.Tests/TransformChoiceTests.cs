using System.Text.Json.Nodes;
using Vizsla.Cli.Jobs;
using Vizsla.Testing;
using Vizsla.Transforms;

namespace Vizsla.Cli.Tests;

public sealed class TransformChoiceTests
{
    private static readonly ImageProcessor Processor = new();
    private static readonly Compose Flips = new(new RandomHorizontalFlip(0.5), new ToDtype(Scale: true));

    [Fact]
    public void Nothing_said_means_the_tutorial()
    {
        var choice = TransformChoice.Read(null, null);

        Assert.Equal(Pipelines.Tutorial(Processor), choice.Train.For(Processor));
        Assert.Equal(Pipelines.TutorialEvaluation(Processor), choice.Evaluation.For(Processor));
    }

    [Fact]
    public void A_name_makes_both_pipelines_for_the_model()
    {
        var choice = TransformChoice.Read("processor", configured: "tutorial");

        Assert.Equal(Processor.ToPipeline(), choice.Train.For(Processor));
        Assert.Equal(Processor.ToPipeline(), choice.Evaluation.For(Processor));
    }

    [Fact]
    public void Train_and_eval_may_be_a_name_and_a_list()
    {
        var choice = TransformChoice.Read(null, new JsonObject { ["train"] = Pipeline.ToJson(Flips), ["eval"] = "processor" });

        Assert.Equal(Flips, choice.Train.For(Processor));
        Assert.Equal(Processor.ToPipeline(), choice.Evaluation.For(Processor));
    }

    [Fact]
    public void A_file_of_one_list_is_the_pipeline_for_training()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "flips.json");
        File.WriteAllText(file, Pipeline.ToJson(Flips).ToJsonString());

        var choice = TransformChoice.Read(file, null);

        Assert.Equal(Flips, choice.Train.For(Processor));
        Assert.Equal(Pipelines.TutorialEvaluation(Processor), choice.Evaluation.For(Processor));
    }

    [Fact]
    public void What_was_chosen_is_read_back_from_its_JSON()
    {
        var choice = TransformChoice.Read(null, new JsonObject { ["train"] = Pipeline.ToJson(Flips), ["eval"] = "processor" });

        var again = TransformChoice.Read(null, choice.ToJson());

        Assert.Equal(Flips, again.Train.For(Processor));
        Assert.Equal(Processor.ToPipeline(), again.Evaluation.For(Processor));
    }

    [Fact]
    public void Another_word_is_refused_with_the_nearest_name()
    {
        var refusal = Assert.Throws<UsageException>(() => TransformChoice.Read("procesor", null));

        Assert.Equal("--transforms 'procesor' is neither a file nor a name. Names: processor, tutorial. Did you mean 'processor'?", refusal.Message);
    }

    [Fact]
    public void An_unknown_name_in_a_configuration_is_refused()
    {
        Assert.Throws<TransformException>(() => TransformChoice.Read(null, new JsonObject { ["train"] = "tutorials" }));
    }
}
