using System.Globalization;
using System.Text;
using Vizsla.Adapters;
using Vizsla.Hub.Cards;
using Vizsla.Native;
using Vizsla.Training.Metrics;

namespace Vizsla.Runs.Cards;

/// <summary>Writes the README.md of a trained model, every number of it from the run.</summary>
/// <remarks>
/// Metadata, results, hyperparameters and their table as <c>Trainer.create_model_card</c> writes them; where that says "More information needed",
/// this says what is known. Source: transformers <c>modelcard.py</c>. Parity: metadata and table exact.
/// </remarks>
internal static class ModelCard
{
    /// <summary>The file's name.</summary>
    public const string FileName = "README.md";

    private const int MostConfusions = 10;
    private const int MostClassRows = 200;

    /// <summary>Writes a card.</summary>
    /// <param name="facts">What it is filled from.</param>
    public static string Write(CardFacts facts)
    {
        var summary = new LogSummary(facts.State.LogHistory, facts.HasBestWeights ? facts.State.BestGlobalStep : null);
        var text = new StringBuilder();
        AddResults(text, facts, summary);
        AddModel(text, facts);
        AddData(text, facts);
        AddTraining(text, facts, summary);
        if (facts.Prediction is { Count: > 0 } prediction)
        {
            AddClasses(text, new ConfusionMatrix(prediction));
        }

        AddMachine(text, facts, summary);
        return $"---\n{YamlWriter.Write(CardFrontMatter.Of(facts, summary), allowUnicode: false)}---\n{text}";
    }

    private static void AddResults(StringBuilder text, CardFacts facts, LogSummary summary)
    {
        text.Append("\n<!-- This model card has been generated automatically according to the information the Trainer had access to. You\n");
        text.Append("should probably proofread and complete it, then remove this comment. -->\n\n");
        text.Append(CultureInfo.InvariantCulture, $"# {facts.Name}\n\n");
        var dataset = CardFrontMatter.DatasetOf(facts) is { } tag ? $"the {tag} dataset." : "an unknown dataset.";
        text.Append(facts.BaseModel is { } source
            ? $"This model is a fine-tuned version of [{source}](https://huggingface.co/{source}) on {dataset}\n"
            : facts.BaseFolder is { } weights ? $"This model is a fine-tuned version of the local weights `{weights}` on {dataset}\n"
            : $"This model was trained from scratch on {dataset}\n");
        if (summary.Results.Count > 0)
        {
            text.Append("It achieves the following results on the evaluation set:\n");
            foreach (var (name, value) in summary.Results)
            {
                text.Append(CultureInfo.InvariantCulture, $"- {name}: {LogSummary.Text(value)}\n");
            }
        }

        foreach (var split in LogSummary.ResultsBySplit(facts.TestMetrics))
        {
            text.Append(CultureInfo.InvariantCulture, $"\nOn the {split.Key} set:\n");
            foreach (var (name, value) in split)
            {
                text.Append(CultureInfo.InvariantCulture, $"- {name}: {LogSummary.Text(value)}\n");
            }
        }
    }

    private static void AddModel(StringBuilder text, CardFacts facts)
    {
        var size = facts.ImageSize is { } pixels ? $" pictures of {pixels.Width} x {pixels.Height} pixels" : " pictures";
        var load = facts.Repository is { } repository ? $"await Vizsla.ImageClassifier.FromPretrainedAsync(\"{repository}\")" : $"Vizsla.ImageClassifier.FromPretrained(\"path/to/{facts.Name}\")";
        text.Append("\n## Model description\n\n");
        text.Append(CultureInfo.InvariantCulture, $"`{facts.ClassName}` with {facts.ParameterCount:N0} parameters. It sorts{size} into {facts.Labels.Count} classes: {string.Join(", ", facts.Labels)}.\n");
        text.Append("\n## Intended uses & limitations\n\n");
        text.Append("It always predicts one of these classes, also for a picture that shows none of them. The results above hold for pictures like those it was evaluated on; the table of classes below shows which are confused most.\n");
        text.Append(CultureInfo.InvariantCulture, $$"""

            In C#:

            ```csharp
            using var classifier = {{load}};
            foreach (var prediction in classifier.Predict("photo.jpg"))
            {
                Console.WriteLine($"{prediction.Label}: {prediction.Score:P1}");
            }
            ```

            """);
        text.Append(facts.Adapter is null
            ? $$"""

                In Python:

                ```python
                from transformers import pipeline

                classifier = pipeline("image-classification", model="{{facts.Repository ?? "path/to/" + facts.Name}}")
                print(classifier("photo.jpg"))
                ```

                """
            : AdapterCard.PythonUse(facts.Adapter, facts.Repository ?? "path/to/" + facts.Name, facts.Labels.Count));
    }

    private static void AddData(StringBuilder text, CardFacts facts)
    {
        text.Append("\n## Training and evaluation data\n\n");
        text.Append(MarkdownTable.Write(
            ["Use", "Split", "Pictures", "Classes", "Smallest class", "Largest class", "Fingerprint"],
            facts.Splits.Select(s => (string[])[s.Role, s.Name ?? "", Whole(s.Count), Whole(s.ClassCounts.Count(n => n > 0)), Whole(s.ClassCounts.DefaultIfEmpty(0).Min()), Whole(s.ClassCounts.DefaultIfEmpty(0).Max()), s.Fingerprint])));
        if (facts.Transform is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"\nTraining pictures were transformed by\n\n```csharp\n{facts.Transform}\n```\n");
        }
    }

    private static void AddTraining(StringBuilder text, CardFacts facts, LogSummary summary)
    {
        text.Append("\n## Training procedure\n\n### Training hyperparameters\n\nThe following hyperparameters were used during training:\n");
        foreach (var line in CardHyperparameters.Of(facts.Arguments, facts.Precision))
        {
            text.Append(CultureInfo.InvariantCulture, $"- {line}\n");
        }

        if (summary.Table() is { Length: > 0 } table)
        {
            text.Append("\n### Training results\n\n").Append(table).Append('\n');
        }

        if (facts.HasBestWeights && summary.Step is { } step)
        {
            text.Append(CultureInfo.InvariantCulture, $"The weights are those of step {step}, the best by `{facts.Arguments.MetricForBestModel ?? "loss"}`.\n");
        }
    }

    private static void AddClasses(StringBuilder text, ConfusionMatrix matrix)
    {
        var counted = matrix.Classes.Where(c => c.Support > 0).ToArray();
        var shown = counted.Length <= MostClassRows ? counted : [.. counted.OrderBy(c => c.F1).Take(MostClassRows)];
        text.Append("\n### Results of each class\n\n");
        text.Append(MarkdownTable.Write(
            ["Class", "Precision", "Recall", "F1", "Pictures"],
            shown.Select(c => (string[])[c.Label, Share(c.Precision), Share(c.Recall), Share(c.F1), Whole(c.Support)])));
        if (shown.Length < counted.Length)
        {
            text.Append(CultureInfo.InvariantCulture, $"\nThe {shown.Length} lowest of {counted.Length} classes.\n");
        }

        if (matrix.MostFrequent(MostConfusions) is { Count: > 0 } mistakes)
        {
            text.Append("\n### Most frequent confusions\n\n");
            text.Append(MarkdownTable.Write(
                ["True class", "Taken for", "Times", "Of"],
                mistakes.Select(m => (string[])[m.Label, m.Predicted, Whole(m.Count), Whole(m.Support)])));
        }
    }

    private static void AddMachine(StringBuilder text, CardFacts facts, LogSummary summary)
    {
        text.Append("\n### Hardware and duration\n\n");
        text.Append(CultureInfo.InvariantCulture, $"- Device: {facts.Device} ({facts.Machine.Processor}, {facts.Machine.CoreCount} cores, {facts.Machine.InstructionSets}; {facts.Machine.MemoryBytes / (double)(1L << 30):F0} GiB of memory)\n");
        text.Append(CultureInfo.InvariantCulture, $"- System: {facts.Machine.OperatingSystem}\n- Precision: {facts.Precision}\n");
        if (facts.Convolutions is { } convolutions)
        {
            text.Append(CultureInfo.InvariantCulture, $"- Convolutions: {convolutions}\n");
        }

        if (summary.Runtime is { } seconds)
        {
            var rate = summary.SamplesPerSecond is { } samples ? $", {LogSummary.Text(samples)} pictures a second" : "";
            text.Append(CultureInfo.InvariantCulture, $"- Training took {TimeSpan.FromSeconds(Math.Round(seconds)):c}{rate}\n");
        }

        text.Append("\n### Framework versions\n\n");
        text.Append(CultureInfo.InvariantCulture, $"- Vizsla {typeof(Trainer).Assembly.GetName().Version!.ToString(3)}\n");
        text.Append(CultureInfo.InvariantCulture, $"- TorchSharp {typeof(TorchSharp.torch).Assembly.GetName().Version!.ToString(3)}\n");
        text.Append(CultureInfo.InvariantCulture, $"- libtorch {LibTorch.Version?.ToString() ?? "unknown"}\n- {facts.Machine.Runtime}\n");
    }

    private static string Whole(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Share(double value) => value.ToString("F4", CultureInfo.InvariantCulture);
}
