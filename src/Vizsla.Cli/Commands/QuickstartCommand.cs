using System.CommandLine;
using Vizsla.Datasets.Drawing;
using Vizsla.Primitives;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla quickstart</c>: the main job on pictures of its own, with the very verbs that a user types.</summary>
internal sealed class QuickstartCommand : Verb
{
    private const int PicturesPerClass = 240;
    private const int PictureSize = 64;

    private readonly Option<string> _output;
    private readonly Option<bool> _overwrite;

    public QuickstartCommand()
        : base("quickstart", "Draw a small picture set, split it, fine-tune a small Vision Transformer on it, evaluate and predict: two minutes from nothing to a model.",
            "vizsla quickstart",
            "vizsla quickstart --output somewhere")
    {
        _output = AddOption("--output", "Folder for the pictures, the dataset and the run.", "quickstart");
        _overwrite = AddOption("--overwrite", "Replace an earlier quickstart in that folder.", false);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var root = arguments.GetValue(_output)!;
        var (photos, dataset, run) = (Path.Combine(root, "photos"), Path.Combine(root, "AnimalClassification"), Path.Combine(root, "animal-classification"));
        Clear(root, [photos, dataset, run], arguments.GetValue(_overwrite));
        console.WriteLine($"Drawing {PicturesPerClass} pictures of each of {AnimalPainter.Classes.Count} animals into '{photos}' ...");
        _ = AnimalPainter.WriteFolder(photos, PicturesPerClass, PictureSize, cancellationToken: cancellationToken);

        string[][] steps =
        [
            ["prepare", "--images", photos, "--labels", Path.Combine(photos, "labels.csv"), "--output", dataset],
            ["train", "--dataset", dataset, "--config", "quickstart", "--output", run],
            ["evaluate", "--model", run, "--dataset", dataset, "--split", "test"],
        ];
        foreach (var step in steps)
        {
            if (await RunVerbAsync(step, console) is not 0 and var code)
            {
                return code;
            }
        }

        var photo = Directory.EnumerateFiles(Path.Combine(dataset, "test"), "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First();
        var prediction = await RunVerbAsync(["predict", photo, "--model", run, "--top", "3", "--output", Path.Combine(root, "prediction.png")], console);
        if (prediction != 0)
        {
            return prediction;
        }

        var results = PythonJson.Parse(await File.ReadAllTextAsync(Path.Combine(run, "all_results.json"), cancellationToken));
        console.WriteLine($"""

            Done: test accuracy {results!["test_accuracy"]!.GetValue<double>():0.0000}.
              photos and labels.csv   {photos}
              dataset                 {dataset}
              model and run           {run}   (all_results.json, trainer_state.json, README.md)
              a prediction            {Path.Combine(root, "prediction.png")}
            The same with your own photos: vizsla prepare, train, evaluate, predict; each has --help.
            """);
        return 0;
    }

    private static async Task<int> RunVerbAsync(string[] words, CommandConsole console)
    {
        console.WriteLine("");
        console.WriteLine($"$ vizsla {CommandLine.Quote(words)}");
        return await CommandLine.RunAsync(words, console);
    }

    private static void Clear(string root, string[] folders, bool overwrite)
    {
        foreach (var folder in folders.Where(Directory.Exists))
        {
            if (!overwrite)
            {
                throw new UsageException($"'{folder}' exists. Pass --overwrite to replace the earlier quickstart in '{root}', or another --output.");
            }

            Directory.Delete(folder, recursive: true);
        }
    }
}
