using System.Text.Json.Nodes;
using Vizsla.Serving.Queues;
using Vizsla.Studio.Runs;
using Vizsla.Transforms;

namespace Vizsla.Studio.Transforms;

/// <summary>Pipelines to begin with: the tutorial's, and those of the models at hand.</summary>
internal sealed class PipelineStarts(StudioOptions options, RunLibrary runs)
{
    private const string Tutorial = "Tutorial, training";
    private const string TutorialEvaluation = "Tutorial, evaluation";
    private const string ProcessorPrefix = "Processor of ";

    /// <summary>What can be started from.</summary>
    public IReadOnlyList<string> Names => [Tutorial, TutorialEvaluation, .. Processors.Keys];

    private Dictionary<string, string> Processors => options.Models.Select(m => (Name: ModelEntry.NameOf(m), Folder: m))
        .Concat(runs.FindModels())
        .Where(m => Directory.Exists(m.Folder))
        .DistinctBy(m => m.Name)
        .ToDictionary(m => ProcessorPrefix + m.Name, m => m.Folder, StringComparer.Ordinal);

    /// <summary>The steps of a start; the tutorial's when the name is not known or its processor cannot be read.</summary>
    public JsonArray Steps(string name) => Pipeline.ToJson(name switch
    {
        TutorialEvaluation => Pipelines.TutorialEvaluation(new ImageProcessor()),
        _ when Processors.TryGetValue(name, out var folder) && TryRead(folder) is { } processor => processor.ToPipeline(),
        _ => Pipelines.Tutorial(new ImageProcessor()),
    });

    private static ImageProcessor? TryRead(string folder)
    {
        try
        {
            return ImageProcessor.FromPretrained(folder);
        }
        catch (Exception e) when (e is IOException or ArgumentException or System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
