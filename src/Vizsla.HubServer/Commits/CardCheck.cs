using System.Text.Json.Nodes;
using Vizsla.Hub.Cards;

namespace Vizsla.HubServer.Commits;

/// <summary>Checks the metadata of a README.md before it is committed.</summary>
internal static class CardCheck
{
    private static readonly HashSet<string> Licenses =
    [
        "apache-2.0", "mit", "openrail", "openrail++", "bigscience-openrail-m", "creativeml-openrail-m", "bigscience-bloom-rail-1.0", "bigcode-openrail-m", "afl-3.0", "artistic-2.0",
        "bsl-1.0", "bsd", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "c-uda", "cc", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0",
        "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0",
        "cdla-sharing-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0", "wtfpl", "ecl-2.0", "epl-1.0", "epl-2.0", "etalab-2.0", "eupl-1.1", "eupl-1.2", "agpl-3.0", "gfdl", "gpl",
        "gpl-2.0", "gpl-3.0", "lgpl", "lgpl-2.1", "lgpl-3.0", "isc", "h-research", "intel-research", "lppl-1.3c", "ms-pl", "apple-ascl", "apple-amlr", "mpl-2.0", "odc-by", "odbl",
        "openmdw-1.0", "osl-3.0", "postgresql", "ofl-1.1", "ncsa", "unlicense", "zlib", "pddl", "lgpl-lr", "deepfloyd-if-license", "fair-noncommercial-research-license",
        "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "llama4", "gemma", "unknown", "other",
    ];

    /// <summary>Checks.</summary>
    /// <param name="content">The whole file.</param>
    /// <param name="type"><c>model</c> or <c>dataset</c>.</param>
    /// <param name="address">Address of the Hub, for links to help.</param>
    /// <returns>What forbids the commit, and what is only said.</returns>
    public static (JsonArray Errors, JsonArray Warnings) Run(string content, string type, string address)
    {
        RepoCard card;
        try
        {
            card = RepoCard.Parse(content);
        }
        catch (YamlException e)
        {
            return (new JsonArray(new JsonObject { ["message"] = e.Message, ["line"] = 1 }), []);
        }

        if (card.Metadata.Count == 0)
        {
            return ([], new JsonArray(new JsonObject
            {
                ["message"] = "empty or missing yaml metadata in repo card",
                ["docUrl"] = $"{address}/docs/hub/{(type == "dataset" ? "datasets" : "model")}-cards",
            }));
        }

        var licenses = card.Metadata["license"] switch
        {
            JsonArray list => list.Select(l => l?.ToString() ?? ""),
            JsonValue one => [one.ToString()],
            _ => [],
        };
        return licenses.All(Licenses.Contains)
            ? ([], [])
            : (new JsonArray(new JsonObject { ["message"] = "\"license\" must be one of [apache-2.0, mit, ...]", ["line"] = 1 }), []);
    }
}
