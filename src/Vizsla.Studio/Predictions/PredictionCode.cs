using Vizsla.Serving.Queues;
using Vizsla.Studio.Runs;

namespace Vizsla.Studio.Predictions;

/// <summary>The same prediction in a program or a shell.</summary>
internal static class PredictionCode
{
    /// <summary>Each language with its code.</summary>
    /// <param name="model">The model's name on the page.</param>
    /// <param name="place">Its folder or name as it is typed where the studio was started.</param>
    /// <param name="address">The studio's address, with '/' at its end.</param>
    /// <param name="count">How many classes.</param>
    public static IReadOnlyList<(string Language, string Code)> Of(string model, string place, string address, int count) =>
    [
        ("C#", $$"""
            using Vizsla;

            using var model = ImageClassifier.FromPretrained("{{Escape(place)}}");
            foreach (var prediction in model.Predict("photo.jpg").Take({{count}}))
            {
                Console.WriteLine($"{prediction.Score:0.0000}  {prediction.Label}");
            }
            """),
        ("Python", $"""
            from transformers import pipeline

            classifier = pipeline("image-classification", model="{Escape(place)}")
            print(classifier("photo.jpg", top_k={count}))
            """),
        ("curl", $"""curl --form "file=@photo.jpg" "{address}api/predict?model={Uri.EscapeDataString(model)}&top_k={count}" """.TrimEnd()),
        ("vizsla", $"vizsla predict photo.jpg --model {RunCommands.Quote(place)} --top {count}"),
    ];

    /// <summary>A model's folder or name as it is typed where the studio was started.</summary>
    public static string PlaceOf(string model, StudioOptions options, RunLibrary runs) =>
        options.Models.FirstOrDefault(m => ModelEntry.NameOf(m) == model) ?? (runs.Find(model) is { } run ? RunCommands.FolderOf(run, options.Runs!) : model);

    private static string Escape(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
}
