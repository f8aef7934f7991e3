namespace Vizsla.Datasets;

/// <summary>The usual splits in their usual order, and the words by which names of folders and files stand for them.</summary>
/// <remarks>Source: datasets <c>data_files.py</c>, <c>SPLIT_KEYWORDS</c>.</remarks>
internal static class SplitNames
{
    public const string Train = "train";
    public const string Validation = "validation";
    public const string Test = "test";

    public static IReadOnlyList<string> All { get; } = [Train, Validation, Test];

    public static IReadOnlyList<(string Split, string[] Words)> Keywords { get; } =
    [
        (Train, ["train", "training"]),
        (Validation, ["validation", "valid", "dev", "val"]),
        (Test, ["test", "testing", "eval", "evaluation"]),
    ];
}
