using System.Globalization;
using System.Text.Json.Nodes;
using Vizsla.Hub.Cards;
using Vizsla.Native;
using Vizsla.Primitives;
using Vizsla.Runs.Cards;
using Vizsla.Testing;
using Vizsla.Training.Metrics;

namespace Vizsla.Tests.Runs;

/// <summary>The cards that Python's Trainer wrote (make/hub_golden.py), rebuilt from the numbers that stand in them.</summary>
[Trait("Category", "Golden")]
public sealed class CardGoldenTests
{
    private const string TableStart = "### Training results\n\n";

    [Fact]
    public void Results_and_table_are_those_of_Python()
    {
        foreach (var (name, card) in Cards())
        {
            var actual = ModelCard.Write(Facts(card));

            Assert.Contains(Between(card, "It achieves", "\n## Model description"), actual, StringComparison.Ordinal);
            Assert.True(actual.Contains(Table(card), StringComparison.Ordinal), $"{name}: {Table(card)}\n{actual}");
        }
    }

    [Fact]
    public void Metadata_is_that_of_Python_but_for_our_tags()
    {
        foreach (var (name, card) in Cards().Where(c => c.Card.Contains("on the imagefolder dataset.", StringComparison.Ordinal)))
        {
            var expected = RepoCard.Parse(card).Metadata;
            var actual = RepoCard.Parse(ModelCard.Write(Facts(card))).Metadata;
            expected.Remove("tags");
            actual.Remove("tags");

            Assert.True(PythonJson.Serialize(expected, sortKeys: false) == PythonJson.Serialize(actual, sortKeys: false), $"{name}: {actual}");
        }
    }

    [Fact]
    public void Hyperparameters_are_those_of_Python()
    {
        foreach (var (_, card) in Cards())
        {
            var lines = Between(card, "were used during training:\n", "\n### Training results").Split('\n').Skip(1)
                .Where(line => line.Length > 0 && !line.StartsWith("- optimizer", StringComparison.Ordinal)).Select(line => line[2..]);

            var actual = CardHyperparameters.Of(Facts(card).Arguments, "float32");

            Assert.Equal(lines, actual.Where(line => !line.StartsWith("optimizer", StringComparison.Ordinal)));
        }
    }

    private static List<(string Name, string Card)> Cards()
    {
        List<(string, string)> cards =
        [
            .. Directory.GetFiles(Golden.Require("hub", "cards"), "*.md").Order(StringComparer.Ordinal)
                .Select(f => (Path.GetFileName(f), File.ReadAllText(f))).Where(c => c.Item2.Contains(TableStart, StringComparison.Ordinal)),
        ];
        if (cards.Count == 0)
        {
            Assert.Skip("skipped: no card of a run below hub/cards");
        }

        return cards;
    }

    private static CardFacts Facts(string card)
    {
        var metadata = RepoCard.Parse(card).Metadata;
        var settings = Between(card, "were used during training:\n", "\n### Training results").Split('\n').Where(l => l.Contains(": ", StringComparison.Ordinal))
            .ToDictionary(l => l[2..l.IndexOf(':', StringComparison.Ordinal)], l => l[(l.IndexOf(':', StringComparison.Ordinal) + 2)..]);
        return new()
        {
            Name = metadata["model-index"]![0]!["name"]!.GetValue<string>(),
            BaseModel = metadata["base_model"]?.GetValue<string>(),
            ClassName = "ViTForImageClassification",
            ParameterCount = 1,
            Labels = ["a", "b"],
            Arguments = new()
            {
                OutputDir = "run",
                LearningRate = Number(settings["learning_rate"]),
                PerDeviceTrainBatchSize = (int)Number(settings["train_batch_size"]),
                PerDeviceEvalBatchSize = (int)Number(settings["eval_batch_size"]),
                Seed = (int)Number(settings["seed"]),
                MaxSteps = (int)Number(settings["training_steps"]),
            },
            State = new() { LogHistory = Rows(card, metadata) },
            Splits = [new("Evaluation", "validation", 6, "00", [3, 3], IsFolder: true)],
            Machine = new("AMD EPYC", 2, "avx2", 24L << 30, 20L << 30, "Debian 12", ".NET 10"),
            Device = "cpu",
            Precision = "float32",
        };
    }

    private static List<JsonObject> Rows(string card, JsonObject metadata)
    {
        // A cell has four decimals; the metadata has the last accuracy whole.
        var accuracy = metadata["model-index"]![0]!["results"]![0]?["metrics"]?[0]?["value"]?.GetValue<double>() ?? 0.16666666666666666;
        var rows = new List<JsonObject>();
        foreach (var line in Table(card).Split('\n').Skip(2).Where(l => l.Length > 0))
        {
            var cells = line.Split('|', StringSplitOptions.TrimEntries)[1..^1];
            rows.Add(new() { ["loss"] = Number(cells[0]), ["epoch"] = Number(cells[1]), ["step"] = (int)Number(cells[2]) });
            rows.Add(new() { ["eval_loss"] = Number(cells[3]), ["eval_accuracy"] = accuracy, ["eval_runtime"] = 1.0, ["epoch"] = Number(cells[1]), ["step"] = (int)Number(cells[2]) });
        }

        rows.Add(new() { ["train_runtime"] = 1.0, ["epoch"] = 1.0, ["step"] = 4 });
        return rows;
    }

    private static string Table(string card) => Between(card, TableStart, "\n\n\n")[TableStart.Length..] + "\n";

    private static string Between(string text, string start, string end)
    {
        var from = text.IndexOf(start, StringComparison.Ordinal);
        return text[from..text.IndexOf(end, from, StringComparison.Ordinal)];
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
