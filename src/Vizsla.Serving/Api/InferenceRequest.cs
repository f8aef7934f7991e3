using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Vizsla.Inference;
using Vizsla.Primitives;
using Vizsla.Serving.Queues;
using Vizsla.Serving.Pictures;

namespace Vizsla.Serving.Api;

/// <summary>One request to a model: the picture's bytes and how to answer.</summary>
/// <param name="Picture">The bytes as they came.</param>
/// <param name="TopK">How many classes; null if the body does not say.</param>
/// <param name="Function">From logits to scores; null as the model says.</param>
/// <remarks>Source: Hugging Face's image classification task: raw bytes, or <c>{"inputs": base64, "parameters": {...}}</c>.</remarks>
internal sealed record InferenceRequest(byte[] Picture, int? TopK, ScoreFunction? Function)
{
    private static readonly string[] Keys = ["inputs", "parameters"];
    private static readonly string[] Parameters = ["function_to_apply", "top_k"];

    /// <summary>Reads either form.</summary>
    /// <exception cref="RefusedException">The body is empty, too large or malformed; the message says which part.</exception>
    public static async Task<InferenceRequest> ReadAsync(HttpRequest request, ServingOptions options, CancellationToken cancellationToken)
    {
        if (!request.HasJsonContentType())
        {
            // No picture begins as a document does, or as a form.
            var bytes = await PictureGuard.ReadAsync(request.Body, options.MaxPictureBytes, cancellationToken).ConfigureAwait(false);
            if (bytes is [(byte)'-', (byte)'-', ..])
            {
                throw new RefusedException(StatusCodes.Status415UnsupportedMediaType, "This address takes the picture itself, not a form: send its bytes.");
            }

            return bytes[0] == '{' ? Parse(bytes) : new(bytes, null, null);
        }

        // Base64 takes four bytes for three; the rest of the document is small.
        var body = await PictureGuard.ReadAsync(request.Body, (options.MaxPictureBytes * 4 / 3) + (64 << 10), cancellationToken).ConfigureAwait(false);
        return Parse(body);
    }

    /// <summary>Reads the JSON form.</summary>
    internal static InferenceRequest Parse(byte[] body)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(body, new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Malformed("The body is not valid JSON, which its content type promises.");
        }

        using (document)
        {
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                throw Malformed("""The body must be {"inputs": BASE64, "parameters": {...}}.""");
            }

            Known(root, Keys, "key");
            if (!root.TryGetProperty("inputs", out var inputs) || inputs.ValueKind != JsonValueKind.String)
            {
                throw Malformed("'inputs' must be a string: the picture's bytes in base64.");
            }

            var picture = Base64(TextOf(inputs));
            return root.TryGetProperty("parameters", out var parameters) && parameters.ValueKind != JsonValueKind.Null
                ? WithParameters(picture, parameters)
                : new(picture, null, null);
        }
    }

    private static InferenceRequest WithParameters(byte[] picture, JsonElement parameters)
    {
        if (parameters.ValueKind != JsonValueKind.Object)
        {
            throw Malformed("'parameters' must be an object.");
        }

        Known(parameters, Parameters, "parameter");
        return new(picture, ReadTopK(parameters), ReadFunction(parameters));
    }

    private static int? ReadTopK(JsonElement parameters)
    {
        if (!parameters.TryGetProperty("top_k", out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var count) && count >= 1
            ? count
            : throw Malformed(Invariant($"'top_k' must be a whole number of at least 1, got {value.GetRawText()}."));
    }

    private static ScoreFunction? ReadFunction(JsonElement parameters)
    {
        if (!parameters.TryGetProperty("function_to_apply", out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.String
            ? TextOf(value) switch
            {
                "softmax" => ScoreFunction.Softmax,
                "sigmoid" => ScoreFunction.Sigmoid,
                "none" => ScoreFunction.None,
                _ => throw UnknownFunction(value),
            }
            : throw UnknownFunction(value);
    }

    private static RefusedException UnknownFunction(JsonElement value) =>
        Malformed(Invariant($"'function_to_apply' must be softmax, sigmoid or none, got {value.GetRawText()}."));

    private static void Known(JsonElement map, string[] known, string what)
    {
        foreach (var property in map.EnumerateObject().Where(p => !known.Contains(p.Name)))
        {
            throw Malformed($"Unknown {what} '{property.Name}'. Known: {string.Join(", ", known)}.{Suggestion.DidYouMean(property.Name, known)}");
        }
    }

    // Half of a surrogate pair can be written in JSON and is no text.
    private static string TextOf(JsonElement value)
    {
        try
        {
            return value.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            throw Malformed("The body is not valid JSON, which its content type promises.");
        }
    }

    private static byte[] Base64(string text)
    {
        // A data URI (data:image/png;base64,...) is what a browser's canvas gives.
        var data = text.StartsWith("data:", StringComparison.Ordinal) ? text[(text.IndexOf(',', StringComparison.Ordinal) + 1)..] : text;
        var bytes = new byte[(data.Length / 4 * 3) + 3];
        return Convert.TryFromBase64String(data, bytes, out var written) && written > 0
            ? bytes[..written]
            : throw Malformed("'inputs' is not base64. Addresses are not followed: send the picture's bytes.");
    }

    private static RefusedException Malformed(string message) => new(StatusCodes.Status400BadRequest, message);
}
