using System.Text.Json.Serialization;

namespace Vizsla.Studio.Predictions;

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
