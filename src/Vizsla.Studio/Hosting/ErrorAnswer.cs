using System.Text.Json.Serialization;

namespace Vizsla.Studio.Hosting;

/// <summary>What a request that cannot be answered gets.</summary>
/// <param name="Error">One sentence.</param>
internal sealed record ErrorAnswer([property: JsonPropertyName("error")] string Error);
