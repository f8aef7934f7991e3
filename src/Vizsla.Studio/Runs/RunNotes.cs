using System.Text.Json.Nodes;
using Vizsla.Hub.Cache;
using Vizsla.Primitives;

namespace Vizsla.Studio.Runs;

/// <summary>What people wrote about a run.</summary>
/// <param name="Tags">Words to find it by, in their order, each once.</param>
/// <param name="Text">Free text.</param>
/// <param name="IsArchived">Whether lists leave it out unless asked.</param>
public sealed record RunNotes(IReadOnlyList<string> Tags, string Text = "", bool IsArchived = false)
{
    /// <summary>The file in the run's folder; pushes to a Hub leave out what begins with an underscore.</summary>
    public const string FileName = "_studio.json";

    /// <summary>Nothing was written.</summary>
    public static RunNotes None { get; } = new([]);

    /// <summary>Tags as a person types them: separated by commas.</summary>
    /// <param name="typed">Such as <c>baseline, seed 3</c>.</param>
    public static IReadOnlyList<string> ParseTags(string typed)
    {
        ArgumentNullException.ThrowIfNull(typed);
        return [.. typed.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    /// <inheritdoc/>
    public bool Equals(RunNotes? other) => other is not null && Text == other.Text && IsArchived == other.IsArchived && Tags.SequenceEqual(other.Tags);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Text, IsArchived, Tags.Count);

    internal static RunNotes From(JsonObject? file) => file is null
        ? None
        : new(
            [.. (file["tags"] as JsonArray ?? []).Where(t => t is not null).Select(JsonFile.Text)],
            file["notes"] is { } text ? JsonFile.Text(text) : "",
            file["archived"] is JsonValue archived && archived.TryGetValue<bool>(out var on) && on);

    internal void Write(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (Equals(None))
        {
            File.Delete(path);
            return;
        }

        var file = new JsonObject { ["tags"] = new JsonArray([.. Tags.Select(t => (JsonNode)t)]), ["notes"] = Text, ["archived"] = IsArchived };
        AtomicFile.Write(path, PythonJson.Serialize(file, indent: 2) + "\n");
    }
}
