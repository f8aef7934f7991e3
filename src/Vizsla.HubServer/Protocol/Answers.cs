using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Vizsla.HubServer.Protocol;

/// <summary>Responses in the Hub's format.</summary>
internal static class Answers
{
    /// <summary>Type of JSON answers.</summary>
    public const string Json = "application/json; charset=utf-8";

    /// <summary>Type of text answers.</summary>
    public const string Text = "text/plain; charset=utf-8";

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A JSON answer.</summary>
    public static IResult Of(JsonNode body, string type = Json) => Results.Text(body.ToJsonString(Plain), type);

    /// <summary>A text answer.</summary>
    public static IResult Of(string text, int status = StatusCodes.Status200OK) => Results.Text(text, Text, statusCode: status);

    /// <summary>Writes a refusal.</summary>
    public static Task WriteAsync(HttpContext context, Refusal refusal)
    {
        var response = context.Response;
        response.StatusCode = refusal.Status;
        // Messages quote what clients have sent; a header holds no control characters.
        response.Headers["X-Error-Message"] = Printable(refusal.Message);
        if (refusal.Code is { } code)
        {
            response.Headers["X-Error-Code"] = code;
        }

        if (refusal.Commit is { } commit)
        {
            response.Headers["X-Repo-Commit"] = commit;
        }

        response.ContentType = refusal.Text is null ? Json : Text;
        return response.WriteAsync(refusal.Text ?? (refusal.Body ?? new JsonObject { ["error"] = refusal.Message }).ToJsonString(Plain), context.RequestAborted);
    }

    /// <summary>Whether a query asks for something: <c>true</c>, <c>True</c> or <c>1</c>.</summary>
    public static bool Asks(this HttpRequest request, string name) => request.Query[name].ToString() is "true" or "True" or "1";

    /// <summary>A JSON body.</summary>
    /// <exception cref="Refusal">The body is not a JSON object.</exception>
    public static async Task<JsonObject> JsonAsync(this HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength == 0)
        {
            return [];
        }

        try
        {
            return Checked(await JsonNode.ParseAsync(request.Body, documentOptions: Strict, cancellationToken: cancellationToken).ConfigureAwait(false)) as JsonObject
                ?? throw new Refusal(StatusCodes.Status400BadRequest, "The body must be a JSON object.");
        }
        catch (JsonException)
        {
            throw new Refusal(StatusCodes.Status400BadRequest, "The body is not valid JSON, or it repeats a key.");
        }
        catch (InvalidOperationException)
        {
            throw NotUnicode();
        }
    }

    /// <summary>How bodies are parsed: a key that stands twice makes the document invalid, since readers would not agree on its value.</summary>
    public static JsonDocumentOptions Strict { get; } = new() { AllowDuplicateProperties = false };

    /// <summary>A parsed body whose strings and keys are known to be Unicode: half of a surrogate pair can be neither stored nor sent.</summary>
    /// <exception cref="Refusal">A string holds half of a surrogate pair.</exception>
    public static JsonNode? Checked(JsonNode? node)
    {
        try
        {
            Visit(node);
            return node;
        }
        catch (InvalidOperationException)
        {
            throw NotUnicode();
        }

        static void Visit(JsonNode? node)
        {
            switch (node)
            {
                case JsonObject map:
                    foreach (var (_, value) in map)
                    {
                        Visit(value);
                    }

                    break;
                case JsonArray list:
                    foreach (var item in list)
                    {
                        Visit(item);
                    }

                    break;
                case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                    _ = value.GetValue<string>();
                    break;
            }
        }
    }

    /// <summary>The error for a key or a string with half of a surrogate pair.</summary>
    public static Refusal NotUnicode() => new(StatusCodes.Status400BadRequest, "A key or a string of the body is not valid Unicode: it holds half of a surrogate pair.");

    /// <summary>A text with each control character, and each half of a surrogate pair, as U+FFFD.</summary>
    public static string Printable(string text) => text.Any(c => char.IsControl(c) || char.IsSurrogate(c))
        ? string.Concat(text.EnumerateRunes().Select(r => Rune.IsControl(r) ? "\uFFFD" : r.ToString()))
        : text;

    /// <summary>A string of a body; null when it is missing.</summary>
    /// <exception cref="Refusal">It is not a string.</exception>
    public static string? Word(this JsonObject body, string name) => body[name] switch
    {
        null => null,
        JsonValue value when value.TryGetValue(out string? text) => text,
        _ => throw new Refusal(StatusCodes.Status400BadRequest, $"\"{name}\" must be a string."),
    };

    /// <summary>A required string.</summary>
    /// <exception cref="Refusal">It is missing or not a string.</exception>
    public static string Required(this JsonObject body, string name) =>
        body.Word(name) ?? throw new Refusal(StatusCodes.Status400BadRequest, $"\"{name}\" is missing.");
}
