using System.Text.Json.Nodes;
using Vizsla.Hub.Cards;
using Vizsla.Native;
using Vizsla.Runs.Cards;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Metrics;

namespace Vizsla.Tests.Runs;

public sealed class ModelCardTests
{
    [Fact]
    public void Every_number_of_the_card_comes_from_the_run()
    {
        var text = ModelCard.Write(Facts());

        Assert.DoesNotContain("More information needed", text, StringComparison.Ordinal);
        Assert.Contains("- Loss: 0.9123\n- Accuracy: 0.6667\n- F1 Macro: 0.5\n", text, StringComparison.Ordinal);
        Assert.Contains("| cat   | 0.5000    | 1.0000 | 0.6667 | 1        |\n", text, StringComparison.Ordinal);
        Assert.Contains("| dog        | cat       | 1     | 2  |\n", text, StringComparison.Ordinal);
        Assert.Contains("| Training   | train      | 12       | 2       | 5              | 7             | 00ff        |\n", text, StringComparison.Ordinal);
        Assert.Contains("- Training took 00:01:05, 3.5 pictures a second\n", text, StringComparison.Ordinal);
        Assert.Contains("The weights are those of step 20, the best by `accuracy`.\n", text, StringComparison.Ordinal);
        Assert.Contains("- learning_rate: 2e-05\n- train_batch_size: 8\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_metadata_is_what_the_hub_reads()
    {
        var metadata = RepoCard.Parse(ModelCard.Write(Facts())).Metadata;

        Assert.Equal("google/vit-base-patch16-224", metadata["base_model"]!.GetValue<string>());
        var result = metadata["model-index"]![0]!["results"]![0]!;
        Assert.Equal("image-classification", result["task"]!["type"]!.GetValue<string>());
        Assert.Equal("validation", result["dataset"]!["split"]!.GetValue<string>());
        Assert.Equal(0.66666666666, result["metrics"]![0]!["value"]!.GetValue<double>());
        Assert.Single(result["metrics"]!.AsArray());
    }

    [Fact]
    public void Without_an_evaluation_there_are_no_results()
    {
        var facts = Facts() with { State = new TrainerState(), Prediction = null };

        var text = ModelCard.Write(facts);

        Assert.Empty(RepoCard.Parse(text).Metadata["model-index"]![0]!["results"]!.AsArray());
        Assert.DoesNotContain("It achieves", text, StringComparison.Ordinal);
        Assert.DoesNotContain("### Results of each class", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_says_which_weights_it_began_with_what_was_frozen_and_how_the_test_went()
    {
        var facts = Facts() with
        {
            BaseModel = null, BaseFolder = "vit-tiny", State = new TrainerState(), Prediction = null,
            TestMetrics = new Dictionary<string, double> { ["test_loss"] = 0.5, ["test_accuracy"] = 0.75, ["test_runtime"] = 1 },
        };

        var text = ModelCard.Write(facts with { Arguments = facts.Arguments with { Freeze = ["backbone"] } });

        Assert.Contains("\nThis model is a fine-tuned version of the local weights `vit-tiny` on ", text, StringComparison.Ordinal);
        Assert.Contains("\nOn the test set:\n- Loss: 0.5\n- Accuracy: 0.75\n\n## Model description", text, StringComparison.Ordinal);
        Assert.Contains("- freeze: backbone\n- unfreeze_at_epoch: never\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("### Training results", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Results_are_those_of_the_last_evaluation_where_the_last_weights_were_kept()
    {
        var facts = Facts();

        var text = ModelCard.Write(facts with { Arguments = facts.Arguments with { LoadBestModelAtEnd = false } });

        Assert.Contains("- Loss: 0.95\n- Accuracy: 0.3333\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_is_pushed_names_its_repository_and_the_dataset_it_came_from()
    {
        var facts = Facts() with { Repository = "user/vit-pets", Splits = [Facts().Splits[0] with { IsFolder = false, HubName = "user/pets" }] };

        var card = ModelCard.Write(facts);

        Assert.Contains("using var classifier = await Vizsla.ImageClassifier.FromPretrainedAsync(\"user/vit-pets\");", card, StringComparison.Ordinal);
        Assert.Contains("classifier = pipeline(\"image-classification\", model=\"user/vit-pets\")", card, StringComparison.Ordinal);
        Assert.Contains(" on the user/pets dataset.", card, StringComparison.Ordinal);
        Assert.Contains("datasets:\n- user/pets\n", card, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bar_in_a_name_does_not_end_its_cell()
    {
        Assert.Contains("| a\\|b |", MarkdownTable.Write(["x"], [["a|b"]]), StringComparison.Ordinal);
    }

    private static CardFacts Facts() => new()
    {
        Name = "pets",
        BaseModel = "google/vit-base-patch16-224",
        ClassName = "ViTForImageClassification",
        ParameterCount = 85_800_194,
        ImageSize = (224, 224),
        Labels = ["cat", "dog"],
        Arguments = new() { OutputDir = "run/pets", LearningRate = 2e-5, PerDeviceTrainBatchSize = 8, LoadBestModelAtEnd = true, MetricForBestModel = "accuracy" },
        State = new()
        {
            BestGlobalStep = 20,
            BestMetric = 0.66666666666,
            LogHistory =
            [
                new() { ["loss"] = 1.2, ["epoch"] = 1.0, ["step"] = 10 },
                Evaluation(0.9123456, 0.66666666666, 20),
                Evaluation(0.95, 0.33333333333, 30),
                new() { ["train_runtime"] = 65.4, ["train_samples_per_second"] = 3.5, ["epoch"] = 3.0, ["step"] = 30 },
            ],
        },
        Splits = [new("Training", "train", 12, "00ff", [5, 7], IsFolder: true), new("Evaluation", "validation", 3, "0aa0", [1, 2], IsFolder: true)],
        Transform = "Resize(224)",
        Prediction = new EvalPrediction([1, 0, 1, 0, 0, 1], [0, 1, 1], ["cat", "dog"]),
        Machine = new("AMD EPYC", 2, "avx2", 24L << 30, 20L << 30, "Debian 12", ".NET 10"),
        Device = "cpu",
        Precision = "bfloat16",
    };

    private static JsonObject Evaluation(double loss, double accuracy, int step) => new()
    {
        ["eval_loss"] = loss,
        ["eval_accuracy"] = accuracy,
        ["eval_f1_macro"] = 0.5,
        ["eval_runtime"] = 1.5,
        ["eval_samples_per_second"] = 2.0,
        ["epoch"] = step / 10.0,
        ["step"] = step,
    };
}
