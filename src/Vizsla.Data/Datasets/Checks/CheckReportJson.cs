using System.Text.Json.Nodes;

namespace Vizsla.Datasets.Checks;

/// <summary>A report of a check as JSON, for programs.</summary>
public static class CheckReportJson
{
    /// <summary>Writes a report.</summary>
    /// <param name="report">What was found.</param>
    /// <returns>An object of <c>splits</c>, <c>errors</c>, <c>warnings</c> and <c>findings</c>, each with <c>kind</c>, <c>level</c>, <c>message</c> and <c>pictures</c> (<c>split</c>, <c>row</c>, <c>file</c>, <c>label</c>).</returns>
    public static JsonObject Write(DatasetCheckReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return new()
        {
            ["splits"] = new JsonObject(report.Counts.Select(c => KeyValuePair.Create(c.Key, (JsonNode?)c.Value))),
            ["errors"] = report.ErrorCount,
            ["warnings"] = report.WarningCount,
            ["findings"] = new JsonArray([.. report.Findings.Select(Write)]),
        };
    }

    private static JsonNode Write(DatasetFinding finding) => new JsonObject
    {
        ["kind"] = finding.Kind.ToString().ToLowerInvariant(),
        ["level"] = finding.IsError ? "error" : "warning",
        ["message"] = finding.Message,
        ["pictures"] = new JsonArray([.. finding.Pictures.Select(p => new JsonObject { ["split"] = p.Split, ["row"] = p.Row, ["file"] = p.Name, ["label"] = p.Label })]),
    };
}
