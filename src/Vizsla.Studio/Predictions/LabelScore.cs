using System.Text.Json.Serialization;

namespace Vizsla.Studio.Predictions;

/// <summary>One class of an answer.</summary>
/// <param name="Label">The class's name.</param>
/// <param name="Score">Its score, float32.</param>
public sealed record LabelScore([property: JsonPropertyName("label")] string Label, [property: JsonPropertyName("score")] float Score);
