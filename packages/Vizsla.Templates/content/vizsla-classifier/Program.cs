// An image classifier of your own photos:
//   dotnet run -c Release -- train photos              photos/<class>/*.jpg, or photos/*.jpg and photos/labels.csv (id,breed)
//   dotnet run -c Release -- train photos MODEL        a name on the Hub, a folder, or a name of timm; vit-nano starts from random weights
//   dotnet run -c Release -- evaluate
//   dotnet run -c Release -- predict photo.jpg
using Vizsla;
using Vizsla.Datasets;
using Vizsla.Datasets.Splits;
using Vizsla.Hub;
using Vizsla.Imaging;
using Vizsla.Models;
using Vizsla.Training.Callbacks;

const string Dataset = "dataset";
const string Run = "run";

try
{
    switch (args)
    {
        case ["train", var photos, ..]:
            await TrainAsync(photos, args.ElementAtOrDefault(2) ?? "google/vit-base-patch16-224");
            return 0;
        case ["evaluate"]:
            Evaluate();
            return 0;
        case ["predict", .. var files] when files.Length > 0:
            Predict(files);
            return 0;
        default:
            Console.Error.WriteLine("train PHOTOS [MODEL] | evaluate | predict FILE...");
            return 2;
    }
}
catch (Exception e) when (e is DatasetException or ModelLoadException or TrainingException or HubException or ImageFormatException)
{
    // Each is one sentence: what is wrong with which file, and what to do.
    Console.Error.WriteLine(e.Message);
    return 1;
}

static async Task TrainAsync(string photos, string checkpoint)
{
    if (!Directory.Exists(Dataset))
    {
        var labels = Path.Combine(photos, "labels.csv");
        DatasetPreparation.Run(new PreparationOptions { Images = photos, Labels = File.Exists(labels) ? labels : null, Output = Dataset, TestSize = 0.2, ValidationSize = 0.2 });
    }

    var dataset = ImageDataset.LoadImageFolder(Dataset);
    var classes = dataset["train"].ClassNames;
    using var model = checkpoint == "vit-nano"
        ? ImageClassifier.Create("vit-nano", classes, imageSize: 64, seed: 42)
        : ImageClassifier.FromPretrained(await FolderOfAsync(checkpoint), classes, ignoreMismatchedSizes: true);
    using var trainer = new Trainer(
        model,
        new TrainingArguments
        {
            OutputDir = Run, OverwriteOutputDir = true, NumTrainEpochs = 5, LearningRate = 5e-5, PerDeviceTrainBatchSize = 16, LoggingSteps = 10,
            EvalStrategy = IntervalStrategy.Epoch, SaveStrategy = SaveStrategy.Epoch, LoadBestModelAtEnd = true, MetricForBestModel = "accuracy", SaveTotalLimit = 1,
        },
        dataset["train"], dataset["validation"], new TrainerOptions { Callbacks = [new TextProgress(Console.Out)] });
    trainer.Train();
    trainer.SaveModel();
}

// A model of the Hub is downloaded once.
static async Task<string> FolderOfAsync(string checkpoint)
{
    if (!ImageClassifier.IsAvailable(checkpoint) && RepoId.TryParse(checkpoint, RepoType.Model, out var repo))
    {
        using var hub = new HubClient();
        return await hub.SnapshotDownloadAsync(repo);
    }

    return checkpoint;
}

static void Evaluate()
{
    using var model = ImageClassifier.FromPretrained(Run);
    using var trainer = new Trainer(model, new TrainingArguments { OutputDir = "evaluation", PerDeviceEvalBatchSize = 16 });
    foreach (var (name, value) in trainer.Evaluate(ImageDataset.LoadImageFolder(Dataset)["test"]))
    {
        Console.WriteLine($"{name} {value:0.0000}");
    }
}

static void Predict(string[] files)
{
    using var model = ImageClassifier.FromPretrained(Run);
    foreach (var file in files)
    {
        var best = model.Predict(file)[0];
        Console.WriteLine($"{file}: {best.Label} ({best.Score:0.0000})");
    }
}
