using System.Text.Json.Nodes;

namespace Vizsla.Testing.Hub;

/// <summary>One file of <c>golden/hub</c>: what a real client did, step by step.</summary>
public sealed class Recording
{
    private Recording(JsonObject json, string file)
    {
        Json = json;
        File = Path.GetFileName(file);
        Steps = [.. json["steps"]!.AsArray().Select(s => new RecordedStep(s!.AsObject()))];
    }

    /// <summary>The whole file.</summary>
    public JsonObject Json { get; }

    /// <summary>The file's name.</summary>
    public string File { get; }

    /// <summary>Its steps in order.</summary>
    public IReadOnlyList<RecordedStep> Steps { get; }

    /// <summary>Version of huggingface_hub.</summary>
    public string Client => (string)Json["client"]!["huggingface_hub"]!;

    /// <summary>Reads a file.</summary>
    public static Recording Read(string file) => new(JsonNode.Parse(System.IO.File.ReadAllText(file))!.AsObject(), file);

    /// <summary>All recordings of a scenario below the golden root; skips the test when there are none.</summary>
    /// <param name="scenario"><c>upload</c>, or <c>*</c> for all.</param>
    public static IReadOnlyList<string> Files(string scenario) =>
        [.. Directory.EnumerateFiles(Golden.Require("hub"), $"{scenario}.hub-*.json").Order(StringComparer.Ordinal)];
}

/// <summary>One call of a recording.</summary>
/// <param name="Json">As recorded.</param>
public sealed record RecordedStep(JsonObject Json)
{
    /// <summary>What was called.</summary>
    public string Call => (string)Json["call"]!;

    /// <summary>Requests and answers in the order of arrival.</summary>
    public IReadOnlyList<RecordedExchange> Exchanges { get; } = [.. Json["exchanges"]!.AsArray().Select(e => new RecordedExchange(e!.AsObject()))];

    /// <summary>Name of the exception; null when it returned.</summary>
    public string? Raises => (string?)Json["raises"]?["type"];

    /// <summary>Text of the exception.</summary>
    public string? Message => (string?)Json["raises"]?["message"];
}

/// <summary>One request and its answer.</summary>
/// <param name="Json">As recorded.</param>
public sealed record RecordedExchange(JsonObject Json)
{
    /// <summary>The request.</summary>
    public JsonObject Request => Json["request"]!.AsObject();

    /// <summary>The answer.</summary>
    public JsonObject Response => Json["response"]!.AsObject();

    /// <summary>Method, place and query on one line.</summary>
    public string Key => $"{(string?)Request["host"] ?? "hub"} {Request["method"]} {Request["path"]}{(Request["query"] is { } q ? "?" + q : "")}";

    /// <summary>True when it may come in any order: storage, its confirmation, and files of a snapshot.</summary>
    public bool IsParallel => (string?)Request["host"] == "cdn" || ((string)Request["path"]!) is var p && (p.EndsWith("/objects/verify", StringComparison.Ordinal) || p.EndsWith("/objects/complete", StringComparison.Ordinal));
}
