using System.Text.Json.Serialization;

namespace Vizsla.Studio.Predictions;

/// <summary>The answer for one file of a request of many: classes, or why there are none.</summary>
/// <param name="File">The name that the request gave it.</param>
/// <param name="Predictions">The likeliest classes, best first; absent when the picture cannot be read.</param>
/// <param name="Error">Why the picture cannot be read; absent when it can.</param>
internal sealed record FileAnswer(
    [property: JsonPropertyName("file")] string File,
    [property: JsonPropertyName("predictions"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<LabelScore>? Predictions,
    [property: JsonPropertyName("error"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error);
