using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Vizsla.Testing.Hub;

/// <summary>Bodies as recordings show them: JSON, lines of JSON, short text, or length and SHA-256.</summary>
public static class RecordedBody
{
    private const int ShortText = 700;
    private const int ShortValue = 300;

    /// <summary>A body in the recordings' way.</summary>
    /// <param name="body">The bytes.</param>
    /// <param name="mediaType">Its Content-Type, or null.</param>
    public static JsonNode? Show(byte[] body, string? mediaType) => body.Length == 0 ? null
        : mediaType?.Contains("ndjson", StringComparison.Ordinal) is true
            ? new JsonObject { ["ndjson"] = new JsonArray([.. Encoding.UTF8.GetString(body).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => Shorten(JsonNode.Parse(l), null))]) }
        : mediaType?.Contains("json", StringComparison.Ordinal) is true
            ? new JsonObject { ["json"] = Shorten(JsonNode.Parse(body), null) }
        : body.Length <= ShortText && !body.Contains((byte)0) && TryText(body) is { } text ? JsonValue.Create(text)
        : Summary(body);

    /// <summary>Length and SHA-256.</summary>
    public static JsonObject Summary(byte[] bytes) => new() { ["bytes"] = bytes.Length, ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(bytes)) };

    private static JsonNode? Shorten(JsonNode? node, string? key) => node switch
    {
        JsonObject map => new JsonObject(map.Select(p => KeyValuePair.Create(p.Key, Shorten(p.Value, p.Key)))),
        JsonArray list => new JsonArray([.. list.Select(v => Shorten(v, null))]),
        JsonValue value when key is "content" or "sample" && value.TryGetValue(out string? text) && text.Length > ShortValue => Long(text),
        _ => node?.DeepClone(),
    };

    private static JsonObject Long(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var count)
            ? new JsonObject { ["base64_of"] = Summary(bytes[..count]) }
            : new JsonObject { ["text_of"] = Summary(Encoding.UTF8.GetBytes(text)) };
    }

    private static string? TryText(byte[] body)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(body);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
