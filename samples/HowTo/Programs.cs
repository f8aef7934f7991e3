using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Vizsla;
using Vizsla.Datasets.Splits;
using Vizsla.Heif;
using Vizsla.Hub;
using Vizsla.HubServer;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Loading;
using Vizsla.Onnx;
using Vizsla.Primitives;
using Vizsla.Serving;
using Vizsla.Studio;
using Vizsla.Training.Callbacks;
using Vizsla.Transforms;

namespace HowTo;

/// <summary>The programs of the packages' readmes.</summary>
public static class Programs
{
    public static void Train()
    {
        DatasetPreparation.Run(new PreparationOptions { Images = "photos", Labels = "photos/labels.csv", Output = "Pets" });
        var dataset = ImageDataset.LoadImageFolder("Pets");

        using var model = ImageClassifier.FromPretrained("google/vit-base-patch16-224", dataset["train"].ClassNames, ignoreMismatchedSizes: true);
        var arguments = new TrainingArguments { OutputDir = "pets", NumTrainEpochs = 3, LearningRate = 5e-5, LoggingSteps = 10 };
        using var trainer = new Trainer(model, arguments, dataset["train"], dataset["validation"], new TrainerOptions { Callbacks = [new TextProgress(Console.Out)] });
        trainer.Train();

        Console.WriteLine(model.Predict("photo.jpg")[0]);
    }

    public static async Task Hub()
    {
        using var hub = new HubClient();
        var repo = RepoId.Parse("google/vit-base-patch16-224");
        var folder = await hub.SnapshotDownloadAsync(repo, options: new SnapshotOptions { AllowPatterns = ["*.json", "*.safetensors"] });
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            Console.WriteLine(Path.GetFileName(file));
        }
    }

    public static void Data()
    {
        var train = ImageDataset.LoadImageFolder("Pets")["train"];
        train.SetTransform(new Compose(new RandomResizedCrop(224), new RandomHorizontalFlip(0.5), new ToDtype(Scale: true), new Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])));
        var loader = new BatchLoader(train, new BatchLoaderOptions { BatchSize = 32 });
        foreach (var batch in loader.Load([.. Enumerable.Range(0, train.Count)]))
        {
            using (batch)
            {
                Console.WriteLine($"{batch.Count} pictures of {batch.Width} x {batch.Height}");       // batch.Pixels: [count, channels, height, width]
            }
        }
    }

    public static void Imaging()
    {
        using var photo = ImageCodec.Load("photo.jpg");
        using var square = new CenterCrop(224).Apply(photo, new Rng(seed: 0));
        ImageCodec.SavePng(square, "square.png");
    }

    public static void Heif()
    {
        HeifDecoder.Register();
        using var photo = ImageCodec.Load("IMG_0001.heic");
        Console.WriteLine($"{photo.Width} x {photo.Height}");
    }

    public static void Onnx()
    {
        using var model = OnnxClassifier.Load("pets");          // a folder that 'vizsla export --model pets' wrote to
        foreach (var breed in model.Predict("photo.jpg", topK: 5))
        {
            Console.WriteLine($"{breed.Score:0.0000}  {breed.Label}");
        }
    }

    public static void Serving(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddVizslaClassifier("pets", _ => OnnxClassifier.Load("pets"));

        var app = builder.Build();
        app.MapVizsla("/models");
        app.MapPost("/name", async (IImageClassifier pets, HttpRequest request) => (await pets.PredictAsync(request.Body, topK: 1, request.HttpContext.RequestAborted))[0].Label);
        app.Run();
    }

    public static void Studio(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddVizsla("pets", builder.Configuration["model"] ?? "runs/pets");

        var app = builder.Build();
        app.MapVizsla("/models");
        app.Run();
    }

    public static async Task HubServer()
    {
        await using var hub = await HubServerHost.StartAsync(new HubServerOptions { DataDirectory = "hub-data" });
        Console.WriteLine($"{hub.Address}, first token in {hub.TokenFile}");
        await hub.RunAsync(CancellationToken.None);          // until the process is told to stop
    }
}
