using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Primitives;

namespace Vizsla.Models.Weights;

/// <summary>The index of weights that lie in several files.</summary>
internal static class ShardIndex
{
    /// <summary>The files that an index names, each once, in order of their names.</summary>
    /// <exception cref="ModelLoadException">The index is no such file, or a part is missing.</exception>
    public static IReadOnlyList<string> Files(string indexPath)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        try
        {
            if (PythonJson.Parse(File.ReadAllText(indexPath)) is not JsonObject index || index["weight_map"] is not JsonObject map)
            {
                throw new ModelLoadException($"'{indexPath}' has no weight_map; expected the index of a model in several files.");
            }

            names.UnionWith(map.Select(m => m.Value?.ToString() ?? ""));
        }
        catch (JsonException e)
        {
            throw new ModelLoadException($"'{indexPath}' is not JSON: {e.Message}", e);
        }

        var folder = Path.GetDirectoryName(indexPath)!;
        foreach (var name in names)
        {
            if (name.Length == 0 || Path.GetFileName(name) != name)
            {
                throw new ModelLoadException($"'{indexPath}' names the file '{name}', expected the name of a file beside it.");
            }

            if (!File.Exists(Path.Combine(folder, name)))
            {
                throw new ModelLoadException($"'{indexPath}' names '{name}', which is missing; copy or download it beside the index.");
            }
        }

        return [.. names.Select(n => Path.Combine(folder, n))];
    }
}
