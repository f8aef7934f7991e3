using System.IO.Compression;
using System.Text.Json;
using Vizsla.Datasets;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets;

/// <summary>One recorded folder layout: builds the folder, makes the recorded call, spells the result as the recording does.</summary>
internal sealed class RecordedLayout(JsonElement recorded, TemporaryFolder folder)
{
    private readonly string _root = folder["root"];

    public string Name => recorded.GetProperty("name").GetString()!;

    public bool IsBareDirectory => recorded.GetProperty("call").GetProperty("path").GetString() == "<root>";

    public void Build()
    {
        Directory.CreateDirectory(_root);
        foreach (var entry in recorded.GetProperty("tree").EnumerateArray())
        {
            var path = folder.Reserve("root/" + entry.GetProperty("path").GetString());
            if (entry.TryGetProperty("from", out var from))
            {
                File.Copy(Path.Combine(Golden.Data, from.GetString()!), path);
            }
            else if (entry.TryGetProperty("text", out var text))
            {
                File.WriteAllText(path, text.GetString());
            }
            else if (entry.TryGetProperty("parquet", out var columns))
            {
                WriteTable(columns, path);
            }
            else if (entry.TryGetProperty("zip", out var members))
            {
                using var zip = ZipFile.Open(path, ZipArchiveMode.Create);
                foreach (var member in members.EnumerateArray())
                {
                    zip.CreateEntryFromFile(Path.Combine(Golden.Data, member.GetProperty("from").GetString()!), member.GetProperty("path").GetString()!);
                }
            }
        }
    }

    /// <summary>The recorded splits: one for a <c>DatasetDict</c>'s key, or one for each asked slice.</summary>
    public IReadOnlyList<KeyValuePair<string, ImageDataset>> Load()
    {
        var call = recorded.GetProperty("call");
        var options = new DatasetLoadOptions
        {
            Name = Text(call, "name"),
            DropLabels = Flag(call, "drop_labels"),
            DropMetadata = Flag(call, "drop_metadata"),
            DataFiles = call.TryGetProperty("data_files", out var files) ? Patterns(files) : null,
            DataDir = IsBareDirectory ? Text(call, "data_dir") : null,
        };
        var splits = IsBareDirectory
            ? DatasetDict.Load(_root, options)
            : ImageDataset.LoadImageFolder(Real(Text(call, "data_dir") ?? "<root>"), options);
        if (!call.TryGetProperty("split", out var split))
        {
            return [.. splits];
        }

        return split.ValueKind == JsonValueKind.Array
            ? [.. split.EnumerateArray().Select((s, i) => KeyValuePair.Create($"{i}", splits.Select(s.GetString()!)))]
            : [KeyValuePair.Create("", splits.Select(split.GetString()!))];
    }

    /// <summary>A dataset as the recording spells it: rows of values in column order.</summary>
    public string Describe(ImageDataset dataset)
    {
        var rows = Enumerable.Range(0, dataset.Count).Select(row => dataset.Features.Names.Select(c => Spell(dataset.Value(row, c))));
        return JsonSerializer.Serialize(new { split = dataset.Split, num_rows = dataset.Count, columns = dataset.Features.Names, rows });
    }

    /// <summary>The recording of one split in the same spelling.</summary>
    public string Recorded(string key)
    {
        var split = recorded.GetProperty("splits").GetProperty(key);
        return JsonSerializer.Serialize(new
        {
            split = split.GetProperty("split").GetString(),
            num_rows = split.GetProperty("num_rows").GetInt32(),
            columns = split.GetProperty("columns").EnumerateArray().Select(c => c.GetString()),
            rows = split.GetProperty("rows").EnumerateArray().Select(r => r.EnumerateArray().Select(Spell)),
        });
    }

    /// <summary>Replaces the temporary folder by its name in the recording.</summary>
    public string Clean(string text) => text.Replace(_root, "<root>", StringComparison.Ordinal);

    private static void WriteTable(JsonElement columns, string path)
    {
        var rows = ImageDatasetBuilder.From(Enumerable.Range(0, columns.EnumerateObject().First().Value.GetArrayLength()));
        foreach (var column in columns.EnumerateObject())
        {
            rows.With(column.Name, row => Spell(column.Value[row]));
        }

        rows.Build().ToParquet(path);
    }

    private object? Spell(object? value) => value switch
    {
        ImageSource { Bytes: null } source => Clean(source.Path!).Replace("<root>/", "", StringComparison.Ordinal),
        double number => number,
        long number => (double)number,
        IReadOnlyDictionary<string, object?> fields => fields.ToDictionary(f => f.Key, f => Spell(f.Value)),
        IReadOnlyList<object?> items => items.Select(Spell),
        _ => value,
    };

    private static object? Spell(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble(),
        JsonValueKind.Array => value.EnumerateArray().Select(Spell),
        JsonValueKind.Object => value.EnumerateObject().ToDictionary(p => p.Name, p => Spell(p.Value)),
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Null => null,
        _ => value.GetBoolean(),
    };

    private Dictionary<string, IReadOnlyList<string>> Patterns(JsonElement files) => files.ValueKind switch
    {
        JsonValueKind.Object => files.EnumerateObject().ToDictionary(f => f.Name, f => (IReadOnlyList<string>)[Real(f.Value.GetString()!)]),
        JsonValueKind.Array => new() { ["train"] = [.. files.EnumerateArray().Select(f => Real(f.GetString()!))] },
        _ => new() { ["train"] = [Real(files.GetString()!)] },
    };

    private string Real(string text) => text.Replace("<root>", _root, StringComparison.Ordinal);

    private static string? Text(JsonElement call, string name) => call.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static bool? Flag(JsonElement call, string name) => call.TryGetProperty(name, out var value) ? value.GetBoolean() : null;
}
