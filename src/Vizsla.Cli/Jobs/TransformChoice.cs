using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Cli.Jobs;

/// <summary>The pipelines of a training: by a name, made for the model, or those of a file.</summary>
/// <param name="Train">The pipeline for training.</param>
/// <param name="Evaluation">The pipeline for validation and test.</param>
internal sealed record TransformChoice(PipelineChoice Train, PipelineChoice Evaluation)
{
    private static readonly SortedDictionary<string, TransformChoice> s_named = new(StringComparer.Ordinal)
    {
        ["processor"] = Named("processor", p => p.ToPipeline(), p => p.ToPipeline()),
        ["tutorial"] = Named("tutorial", Pipelines.Tutorial, Pipelines.TutorialEvaluation),
    };

    /// <summary>What holds where nothing is said: the tutorial's.</summary>
    public static TransformChoice Default => s_named["tutorial"];

    /// <summary>The names, for the help.</summary>
    public static IEnumerable<string> Names => s_named.Keys;

    /// <summary>Reads what the command line or a configuration says: a name, a pipeline file, or an object of <c>train</c> and <c>eval</c>, each a name or a list of steps.</summary>
    /// <param name="flag">The command line's word; null for none.</param>
    /// <param name="configured">The configuration's value; null for none.</param>
    /// <exception cref="UsageException">A word is neither a name nor a file.</exception>
    /// <exception cref="TransformException">A pipeline cannot be built.</exception>
    public static TransformChoice Read(string? flag, JsonNode? configured)
    {
        if (flag is not null)
        {
            return OfWord(flag);
        }

        return configured switch
        {
            null => Default,
            JsonObject both => OfObject(both),
            JsonValue word => OfWord(word.ToString()),
            _ => OfFile(PipelineFile.FromJson(configured)),
        };
    }

    /// <summary>What <see cref="Read"/> takes back.</summary>
    public JsonObject ToJson() => new() { ["train"] = Train.Json.DeepClone(), ["eval"] = Evaluation.Json.DeepClone() };

    private static TransformChoice Named(string name, Func<ImageProcessor, Compose> train, Func<ImageProcessor, Compose> evaluation) =>
        new(new(JsonValue.Create(name), train), new(JsonValue.Create(name), evaluation));

    private static TransformChoice OfObject(JsonObject both)
    {
        var lists = new JsonObject();
        var choice = Default;
        foreach (var (key, value) in both)
        {
            if (value is JsonValue word && word.GetValueKind() == JsonValueKind.String && s_named.TryGetValue(word.ToString(), out var named) && key is "train" or "eval")
            {
                choice = key == "train" ? choice with { Train = named.Train } : choice with { Evaluation = named.Evaluation };
            }
            else
            {
                lists[key] = value?.DeepClone();
            }
        }

        return lists.Count == 0 ? choice : choice.With(PipelineFile.FromJson(lists));
    }

    private static TransformChoice OfWord(string word)
    {
        if (s_named.TryGetValue(word, out var named))
        {
            return named;
        }

        return File.Exists(word)
            ? OfFile(PipelineFile.Load(word))
            : throw new UsageException($"--transforms '{word}' is neither a file nor a name. Names: {string.Join(", ", Names)}.{Suggestion.DidYouMean(word, Names)}");
    }

    private static TransformChoice OfFile(PipelineFile file) => Default.With(file);

    private TransformChoice With(PipelineFile file) => new(
        file.Train is { } train ? PipelineChoice.Of(train) : Train,
        file.Evaluation is { } evaluation ? PipelineChoice.Of(evaluation) : Evaluation);
}
