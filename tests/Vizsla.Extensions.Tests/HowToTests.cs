using System.Text.RegularExpressions;
using HowTo;
using Vizsla.Datasets;
using Vizsla.Datasets.Splits;
using Vizsla.Imaging;
using Vizsla.Testing;

namespace Vizsla.Extensions.Tests;

/// <summary>docs/library.md and the packages' readmes: what they show is compiled, and what can run without a download does.</summary>
public sealed partial class HowToTests : IDisposable
{
    private const int Side = 32;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Pages() =>
        [.. new[] { "docs/library.md" }.Concat(
            Directory.EnumerateFiles(Path.Combine(Golden.Checkout, "src"), "README.md", SearchOption.AllDirectories)
                .Select(f => Path.GetRelativePath(Golden.Checkout, f).Replace('\\', '/'))
                .Where(f => !f.Contains("/bin/", StringComparison.Ordinal) && !f.Contains("/obj/", StringComparison.Ordinal)))];

    [Theory]
    [MemberData(nameof(Pages))]
    public void What_a_page_shows_is_compiled(string page)
    {
        var sources = Directory.EnumerateFiles(Path.Combine(Golden.Checkout, "samples", "HowTo"), "*.cs").Select(f => Flat(File.ReadAllText(f))).ToList();
        var snippets = Snippet().Matches(File.ReadAllText(Path.Combine(Golden.Checkout, page)).ReplaceLineEndings("\n")).Select(m => Flat(m.Groups[1].Value)).ToList();

        Assert.True(snippets.Count > 0 || page == "src/Vizsla.Cli/README.md", $"{page} shows no C#");
        Assert.All(snippets, snippet => Assert.True(sources.Any(s => s.Contains(snippet, StringComparison.Ordinal)), $"{page}: not in samples/HowTo:\n{snippet}"));
    }

    [Fact]
    public async Task A_file_bytes_a_stream_a_picture_and_many_files_get_the_same_class()
    {
        var dataset = Dataset();
        using var model = ImageClassifier.Create("vit-nano", dataset["train"].ClassNames, imageSize: Side, seed: 1);
        var file = Directory.EnumerateFiles(_folder["photos"], "*.jpg").Order(StringComparer.Ordinal).First();

        var names = await HowTos.PredictAsync(model, file, [file, _folder["photos", "labels.csv"]], CancellationToken.None);

        Assert.Equal(6, names.Count);
        Assert.Single(names.Take(5).Distinct());
        Assert.StartsWith("it is not a JPEG, PNG, GIF, BMP, WebP or TIFF picture", names[5], StringComparison.Ordinal);
    }

    [Fact]
    public void A_training_is_watched_and_stopped()
    {
        var dataset = Dataset();
        using var model = ImageClassifier.Create("vit-nano", dataset["train"].ClassNames, imageSize: Side, seed: 1);
        using var writer = new StringWriter();

        HowTos.Watch(
            model,
            new TrainingArguments { OutputDir = _folder["run"], MaxSteps = 4, LoggingSteps = 2, EvalStrategy = IntervalStrategy.Steps, EvalSteps = 2, SaveStrategy = SaveStrategy.No, Bf16 = false, ReportTo = [] },
            dataset, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, writer);

        Assert.Matches("^step 2 of 4, 0:[0-9]{2}:[0-9]{2} left: loss [0-9.]+, grad_norm [0-9.]+, learning_rate [0-9.E-]+\r?\nstep 2 of 4, 0:[0-9]{2}:[0-9]{2} left: eval_loss ", writer.ToString());
    }

    [Fact]
    public void Without_a_transform_pictures_get_the_models_preprocessing()
    {
        var dataset = Dataset();
        using var model = ImageClassifier.Create("vit-nano", dataset["train"].ClassNames, imageSize: Side, seed: 1);
        using var trainer = new Trainer(model, new TrainingArguments { OutputDir = _folder["evaluation"], Bf16 = false });

        var bare = trainer.Evaluate(dataset["test"]);
        var given = trainer.Evaluate(dataset["test"].WithTransform(model.Processor.ToPipeline()));

        Assert.Equal(given["eval_loss"], bare["eval_loss"]);
    }

    [Fact]
    public void Rows_of_a_database_are_a_dataset()
    {
        Photos.Write(_folder["photos"], countPerClass: 2, size: Side);
        var files = Directory.EnumerateFiles(_folder["photos"], "*.jpg").Order(StringComparer.Ordinal).ToList();

        var dataset = HowTos.FromRows([.. files.Select((f, i) => (i, File.ReadAllBytes(f), i % 2 == 0 ? "dog" : "cat"))]);

        Assert.Equal(["cat", "dog"], dataset.ClassNames);
        Assert.Equal(files.Count, dataset.Count);
        using var image = dataset.LoadImage(0);
        Assert.Equal(Side, image.Width);
    }

    [Fact]
    public void An_error_is_one_sentence()
    {
        var missing = _folder["nowhere"];

        Assert.Equal("done", HowTos.Explain(() => { }));
        Assert.Equal($"There is no folder '{missing}'.", HowTos.Explain(() => ImageClassifier.FromPretrained(missing).Dispose()));
        Assert.Throws<InvalidOperationException>(() => HowTos.Explain(() => throw new InvalidOperationException()));
    }

    private DatasetDict Dataset()
    {
        Photos.Write(_folder["photos"], countPerClass: 12, size: Side);
        _ = DatasetPreparation.Run(new PreparationOptions { Images = _folder["photos"], Labels = _folder["photos", "labels.csv"], Output = _folder["animals"] });
        return ImageDataset.LoadImageFolder(_folder["animals"]);
    }

    // Without what surrounds it: namespaces at the top, indentation, empty lines.
    private static string Flat(string text) =>
        string.Join('\n', text.ReplaceLineEndings("\n").Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0 && !Using().IsMatch(l)));

    [GeneratedRegex("```csharp\n(.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Snippet();

    [GeneratedRegex(@"^using [A-Za-z.]+;$")]
    private static partial Regex Using();
}
