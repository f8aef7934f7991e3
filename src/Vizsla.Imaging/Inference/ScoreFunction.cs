using System.Text.Json.Serialization;

namespace Vizsla.Inference;

/// <summary>From logits to scores.</summary>
/// <remarks>Source: transformers <c>ClassificationFunction</c>.</remarks>
[JsonConverter(typeof(JsonStringEnumConverter<ScoreFunction>))]
public enum ScoreFunction
{
    /// <summary>Scores of all classes add up to 1.</summary>
    [JsonStringEnumMemberName("softmax")]
    Softmax,

    /// <summary>Each class by itself between 0 and 1.</summary>
    [JsonStringEnumMemberName("sigmoid")]
    Sigmoid,

    /// <summary>The logits as they are.</summary>
    [JsonStringEnumMemberName("none")]
    None,
}
