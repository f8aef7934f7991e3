using Vizsla;
using Vizsla.Datasets.Splits;
using Vizsla.Transforms;

var photos = args.ElementAtOrDefault(0) ?? "photos";                              // *.jpg and labels.csv (id,breed)
var checkpoint = args.ElementAtOrDefault(1) ?? "google/vit-base-patch16-224";     // a folder, or a name in the Hub cache

// Stratified splits, row for row as scikit-learn makes them: train|validation|test/<breed>/<photo>.
DatasetPreparation.Run(new PreparationOptions { Images = photos, Labels = Path.Combine(photos, "labels.csv"), Output = "PetClassification", Seed = 13 });
var dataset = ImageDataset.LoadImageFolder("PetClassification");

using var model = ImageClassifier.FromPretrained(checkpoint, dataset["train"].ClassNames, ignoreMismatchedSizes: true);
var (size, normalize) = (model.Processor.Size, new Normalize(model.Processor.ImageMean, model.Processor.ImageStd));
dataset["train"].SetTransform(new Compose(
    new Resize(size), new RandomHorizontalFlip(0.4), new RandomVerticalFlip(0.1), new RandomApply([new RandomRotation(0, 90)], 0.5),
    new RandomApply([new ColorJitter(Brightness: 0.3, Hue: 0.1)], 0.3), new RandomApply([new GaussianBlur(5, 9)], 0.3),
    new ToDtype(Scale: true), normalize));
dataset["validation"].SetTransform(new Compose(new Resize(size), new ToDtype(Scale: true), normalize));
dataset["test"].SetTransform(new Compose(new Resize(size), new ToDtype(Scale: true), normalize));

var arguments = new TrainingArguments
{
    OutputDir = "breed-classification", EvalStrategy = IntervalStrategy.Steps, LoggingSteps = 100, LearningRate = 2e-5,
    PerDeviceTrainBatchSize = 64, PerDeviceEvalBatchSize = 64, NumTrainEpochs = 15, WeightDecay = 0.01,
    LoadBestModelAtEnd = true, MetricForBestModel = "accuracy", LoggingDir = "logs",
};
using var trainer = new Trainer(model, arguments, dataset["train"], dataset["validation"]);
trainer.Train();

var test = trainer.Predict(dataset["test"]);
trainer.SaveMetrics("test", test.Metrics);
Console.WriteLine($"test accuracy {test.Metrics["test_accuracy"]:0.0000}");
foreach (var breed in model.Predict(Directory.EnumerateFiles(photos, "*.jpg").First()))
{
    Console.WriteLine($"{breed.Score:0.0000}  {breed.Label}");
}
