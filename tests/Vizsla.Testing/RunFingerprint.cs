using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Vizsla.Testing;

/// <summary>What must be equal whether a run was interrupted or not: weights, checkpoints, rows and results, timings aside.</summary>
public static class RunFingerprint
{
    private const string State = "trainer_state.json";
    private const string Adapter = "adapter_model.safetensors";

    // They name the run folder or list sizes of files that do.
    private static readonly string[] Placed = [State, "training_args.json", "checkpoint.json"];

    /// <summary>Describes the end of a run: a hash of its weights, and its texts without timings.</summary>
    /// <param name="output">The run folder, trained to its end.</param>
    public static string Of(string output) => string.Join(
        '\n', Hash(Path.Combine(output, File.Exists(Path.Combine(output, Adapter)) ? Adapter : "model.safetensors")), Text(Path.Combine(output, State)), Text(Path.Combine(output, "all_results.json")));

    /// <summary>Describes the end of a run and its checkpoints: a hash for every file of theirs too. A run that was stopped may have one more.</summary>
    /// <param name="output">The run folder, trained to its end.</param>
    public static string WithCheckpoints(string output)
    {
        var lines = new List<string> { Of(output) };
        foreach (var checkpoint in Directory.EnumerateDirectories(output, "checkpoint-*").Order(StringComparer.Ordinal))
        {
            lines.Add(Path.GetFileName(checkpoint) + Text(Path.Combine(checkpoint, State)));
            lines.AddRange(Directory.EnumerateFiles(checkpoint).Where(file => !Placed.Contains(Path.GetFileName(file))).Order(StringComparer.Ordinal).Select(Hash));
        }

        return string.Join('\n', lines);
    }

    private static string Hash(string file)
    {
        var folder = Path.GetFileName(Path.GetDirectoryName(file)!);
        var place = folder.StartsWith("checkpoint-", StringComparison.Ordinal) ? $"{folder}/" : "";
        return $"{place}{Path.GetFileName(file)} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)))}";
    }

    private static string Text(string file)
    {
        var json = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        if (json["best_model_checkpoint"] is { } best)
        {
            json["best_model_checkpoint"] = Path.GetFileName(best.GetValue<string>());
        }

        foreach (var row in (json["log_history"] as JsonArray ?? []).Select(r => r!.AsObject()).Append(json))
        {
            foreach (var timing in row.Select(v => v.Key).Where(IsTiming).ToList())
            {
                row.Remove(timing);
            }
        }

        return json.ToJsonString();
    }

    private static bool IsTiming(string key) => key.EndsWith("_runtime", StringComparison.Ordinal) || key.EndsWith("_per_second", StringComparison.Ordinal);
}
