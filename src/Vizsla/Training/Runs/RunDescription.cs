using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using TorchSharp;
using Vizsla.Models;
using Vizsla.Primitives;
using Vizsla.Training.Arguments;
using Vizsla.Training.Steps;

namespace Vizsla.Training.Runs;

/// <summary>What was asked, of what, with what: the contents of <c>training_args.json</c>.</summary>
internal sealed class RunDescription
{
    private RunDescription(JsonObject json) => Json = json;

    /// <summary>Arguments under the names of Hugging Face, versions, device, data and model.</summary>
    public JsonObject Json { get; }

    /// <summary>The text of the file.</summary>
    public string FileText => PythonJson.Serialize(Json) + "\n";

    /// <summary>Describes a run that is about to begin.</summary>
    public static RunDescription Of(
        TrainingArguments arguments, ClassificationNetwork network, ImageDataset train, ImageDataset? evaluation, torch.Device device, ComputePrecision precision,
        JsonObject notes)
    {
        var json = new JsonObject
        {
            ["arguments"] = new JsonObject(ArgumentTable.Fields.Select(f => KeyValuePair.Create(f.Name, ArgumentText.ToJson(f.ValueOf(arguments))))),
            ["data"] = new JsonObject { ["train"] = Data(train), ["eval"] = evaluation is null ? null : Data(evaluation) },
            ["device"] = device.ToString(),
            ["model"] = new JsonObject
            {
                ["model_type"] = network.Configuration.ModelType,
                ["class"] = network.ClassName,
                ["parameters"] = network.parameters().Sum(p => p.numel()),
                ["labels"] = network.Configuration.LabelCount,
            },
            ["precision"] = precision.Training?.ToString().ToLowerInvariant() ?? "float32",
            ["threads"] = torch.get_num_threads(),
            ["versions"] = new JsonObject
            {
                ["vizsla"] = typeof(Trainer).Assembly.GetName().Version!.ToString(3),
                ["dotnet"] = Environment.Version.ToString(),
                ["torchsharp"] = typeof(torch).Assembly.GetName().Version!.ToString(3),
                ["libtorch"] = Native.LibTorch.Version?.ToString(),
                ["os"] = RuntimeInformation.OSDescription,
            },
        };
        foreach (var (name, value) in notes)
        {
            json[name] = value?.DeepClone();
        }

        return new(json);
    }

    /// <summary>Reads a file written before.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="System.Text.Json.JsonException">It is not JSON.</exception>
    public static RunDescription Load(string path) => new(PythonJson.Parse(File.ReadAllText(path)) as JsonObject ?? []);

    /// <summary>The arguments, by name.</summary>
    public JsonObject Arguments => Json["arguments"] as JsonObject ?? [];

    /// <summary>Fingerprint of the training split; null where the file does not say.</summary>
    public string? TrainFingerprint => (Json["data"]?["train"] as JsonObject)?["fingerprint"]?.GetValue<string>();

    /// <summary>The pipeline of the training split as text; null where the file does not say.</summary>
    public string? TrainTransform => (Json["data"]?["train"] as JsonObject)?["transform"]?.GetValue<string>();

    /// <summary>Precision of the forward passes; null where the file does not say.</summary>
    public string? Precision => Json["precision"]?.GetValue<string>();

    private static JsonObject Data(ImageDataset dataset) => new()
    {
        ["split"] = dataset.Split,
        ["rows"] = dataset.Count,
        ["fingerprint"] = dataset.Fingerprint,
        ["transform"] = dataset.Transform?.ToString(),
    };
}
