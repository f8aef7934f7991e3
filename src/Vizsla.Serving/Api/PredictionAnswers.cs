using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Vizsla.Inference;

namespace Vizsla.Serving.Api;

/// <summary>One class of an answer.</summary>
/// <param name="Label">The class's name.</param>
/// <param name="Score">Its score, float32.</param>
internal sealed record LabelScore([property: JsonPropertyName("label")] string Label, [property: JsonPropertyName("score")] float Score)
{
    /// <summary>An answer as it is sent.</summary>
    public static IReadOnlyList<LabelScore> Of(IReadOnlyList<Prediction> predictions) => [.. predictions.Select(p => new LabelScore(p.Label, p.Score))];
}

/// <summary>The answer for one file of a request of many: classes, or why there are none.</summary>
/// <param name="File">The name that the request gave it.</param>
/// <param name="Predictions">The most likely classes, best first; absent when the picture cannot be read.</param>
/// <param name="Error">Why the picture cannot be read; absent when it can.</param>
internal sealed record FileAnswer(
    [property: JsonPropertyName("file")] string File,
    [property: JsonPropertyName("predictions"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<LabelScore>? Predictions,
    [property: JsonPropertyName("error"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error);

/// <summary>A served model as <c>GET /api/models</c> lists it.</summary>
/// <param name="Name">Its name in addresses.</param>
/// <param name="Ready">Whether it is loaded.</param>
/// <param name="Labels">Class names; empty until it is loaded.</param>
/// <param name="Waiting">Pictures that wait or are being worked on.</param>
internal sealed record ModelDescription(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("ready")] bool Ready,
    [property: JsonPropertyName("labels")] IReadOnlyList<string> Labels,
    [property: JsonPropertyName("waiting")] int Waiting);

/// <summary>How answers are written; described ahead of time, since programs of one file have no reflection for JSON. Texts as they are, as ASP.NET Core writes them.</summary>
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(FileAnswer[]))]
[JsonSerializable(typeof(IReadOnlyList<LabelScore>))]
internal sealed partial class AnswerJson : JsonSerializerContext
{
    public static AnswerJson Plain { get; } = new(new JsonSerializerOptions(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
