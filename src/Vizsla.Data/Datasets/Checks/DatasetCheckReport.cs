using System.Text.Json.Nodes;

namespace Vizsla.Datasets.Checks;

/// <summary>What a <see cref="DatasetCheck"/> found.</summary>
/// <param name="Counts">Rows of each split.</param>
/// <param name="Findings">What was found, by kind; pictures in the order of splits and rows.</param>
public sealed record DatasetCheckReport(IReadOnlyList<KeyValuePair<string, int>> Counts, IReadOnlyList<DatasetFinding> Findings)
{
    /// <summary>Number of findings that make a training fail or its numbers wrong.</summary>
    public int ErrorCount => Findings.Count(f => f.IsError);

    /// <summary>Number of findings that are worth a look.</summary>
    public int WarningCount => Findings.Count - ErrorCount;

    /// <summary>The findings of a kind.</summary>
    /// <param name="kind">The kind.</param>
    public IEnumerable<DatasetFinding> Of(FindingKind kind) => Findings.Where(f => f.Kind == kind);
}

/// <summary>One thing that is, or may be, wrong with a dataset.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="IsError">Whether it makes a training fail or its numbers wrong; else it is worth a look.</param>
/// <param name="Message">What was found, as a part of a sentence that follows the name of the first picture or stands alone.</param>
/// <param name="Pictures">The pictures; of copies all, in the order of the splits.</param>
public sealed record DatasetFinding(FindingKind Kind, bool IsError, string Message, IReadOnlyList<FoundPicture> Pictures)
{
    /// <summary>How good the picture is in what was looked at, from 0 (bad) to 1; null for kinds without a score.</summary>
    public double? Score { get; init; }

    /// <summary>Whether copies of one picture lie in several splits, so that a model is asked what it was taught.</summary>
    public bool IsAcrossSplits => Pictures.Select(p => p.Split).Distinct().Skip(1).Any();

    /// <summary>Whether copies of one picture have several labels, so that one of them is wrong.</summary>
    public bool HasDifferentLabels => Pictures.Select(p => p.Label).Distinct().Skip(1).Any();
}

/// <summary>What may be wrong with a dataset.</summary>
public enum FindingKind
{
    /// <summary>A picture that cannot be read.</summary>
    Unreadable,

    /// <summary>A picture whose file ends too early.</summary>
    Truncated,

    /// <summary>Pictures of the same content.</summary>
    Exact,

    /// <summary>Pictures that look alike: other sizes, formats, qualities, margins or brightness of one picture.</summary>
    Near,

    /// <summary>Classes whose names differ only in case.</summary>
    Case,

    /// <summary>Classes whose names differ only in blanks, Unicode form or punctuation.</summary>
    Alike,

    /// <summary>A class whose name reads like a missing value.</summary>
    Missing,

    /// <summary>Photos of the folder that are in no row.</summary>
    LeftOut,

    /// <summary>A picture with a very short side.</summary>
    Tiny,

    /// <summary>A picture that is very long, very large, or of one color.</summary>
    Extreme,

    /// <summary>A picture without sharp edges.</summary>
    Blurry,

    /// <summary>A picture without bright pixels.</summary>
    Dark,

    /// <summary>A picture without dark pixels.</summary>
    Light,

    /// <summary>A picture of few different levels.</summary>
    LowInformation,

    /// <summary>A picture of gray levels among pictures in color.</summary>
    Gray,

    /// <summary>A picture much longer than wide, or the reverse.</summary>
    OddShape,

    /// <summary>A picture much larger or smaller than the others.</summary>
    OddSize,

    /// <summary>Classes of very different size, or without pictures in a split.</summary>
    Imbalance,
}

/// <summary>A picture that a finding is about.</summary>
/// <param name="Split">Its split.</param>
/// <param name="Row">Its row there.</param>
/// <param name="Name">Path of its file, or the name its bytes had.</param>
/// <param name="Label">Its class; empty where it has none.</param>
public sealed record FoundPicture(string Split, int Row, string Name, string Label);

/// <summary>A report of a check as JSON, for programs.</summary>
internal static class CheckReportJson
{
    /// <summary>Writes a report.</summary>
    /// <param name="report">What was found.</param>
    /// <returns>An object of <c>splits</c>, <c>errors</c>, <c>warnings</c> and <c>findings</c>, each with <c>kind</c>, <c>level</c>, <c>message</c> and <c>pictures</c> (<c>split</c>, <c>row</c>, <c>file</c>, <c>label</c>), some with a <c>score</c>.</returns>
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

    private static JsonNode Write(DatasetFinding finding)
    {
        var json = new JsonObject
        {
            ["kind"] = finding.Kind.ToString().ToLowerInvariant(),
            ["level"] = finding.IsError ? "error" : "warning",
            ["message"] = finding.Message,
            ["pictures"] = new JsonArray([.. finding.Pictures.Select(p => new JsonObject { ["split"] = p.Split, ["row"] = p.Row, ["file"] = p.Name, ["label"] = p.Label })]),
        };
        if (finding.Score is { } score)
        {
            json["score"] = score;
        }

        return json;
    }
}
