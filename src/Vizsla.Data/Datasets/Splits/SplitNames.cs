namespace Vizsla.Datasets.Splits;

/// <summary>The usual splits in their usual order.</summary>
internal static class SplitNames
{
    public const string Train = "train";
    public const string Validation = "validation";
    public const string Test = "test";

    public static IReadOnlyList<string> All { get; } = [Train, Validation, Test];
}
