using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Hub.Cache;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>The pipelines of a run as a file holds them: <c>{"train": [...], "eval": [...]}</c>, or a bare list, which is the one for training.</summary>
/// <param name="Train">The pipeline for training; null where the file has none.</param>
/// <param name="Evaluation">The pipeline for validation and test; null where the file has none.</param>
public sealed record PipelineFile(Compose? Train, Compose? Evaluation)
{
    private const string TrainKey = "train";
    private const string EvaluationKey = "eval";

    /// <summary>Reads a file.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="TransformException">The file is no JSON, or something in it is wrong; every problem of both pipelines is listed.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static PipelineFile Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            return FromJson(PythonJson.Parse(File.ReadAllText(path)));
        }
        catch (JsonException exception)
        {
            throw new TransformException($"'{path}' is not JSON: {exception.Message}", exception);
        }
        catch (TransformException exception)
        {
            throw new TransformException([.. exception.Problems.Select(problem => $"'{path}': {problem}")]);
        }
    }

    /// <summary>Reads the file's content.</summary>
    /// <param name="json">An object of two lists, or a list.</param>
    /// <exception cref="TransformException">Something is wrong; every problem of both pipelines is listed.</exception>
    public static PipelineFile FromJson(JsonNode? json)
    {
        var reader = new PipelineReader();
        PipelineFile? file = null;
        if (json is JsonObject both)
        {
            foreach (var key in both.Select(pair => pair.Key).Where(key => key is not (TrainKey or EvaluationKey)))
            {
                reader.Add($"Unknown key '{key}'. Known: {TrainKey}, {EvaluationKey}.{Suggestion.DidYouMean(key, [TrainKey, EvaluationKey])}");
            }

            file = new(Read(TrainKey), Read(EvaluationKey));
            if (both[TrainKey] is null && both[EvaluationKey] is null)
            {
                reader.Add($"Expected a list under '{TrainKey}', under '{EvaluationKey}', or under both.");
            }

            Compose? Read(string key) => both[key] is { } list ? reader.ReadPipeline(list, key) : null;
        }
        else
        {
            file = new(reader.ReadPipeline(json, TrainKey), null);
        }

        reader.ThrowIfProblems();
        return file;
    }

    /// <summary>The file's content, two lists under <c>train</c> and <c>eval</c>.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject();
        if (Train is not null)
        {
            json[TrainKey] = Pipeline.ToJson(Train);
        }

        if (Evaluation is not null)
        {
            json[EvaluationKey] = Pipeline.ToJson(Evaluation);
        }

        return json;
    }

    /// <summary>Writes the file.</summary>
    /// <param name="path">Path of the file; replaced as a whole.</param>
    public void Save(string path)
    {
        AtomicFile.Write(path, PythonJson.Serialize(ToJson(), sortKeys: false) + "\n");
    }
}
