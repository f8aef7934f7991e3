namespace Vizsla.Cli;

/// <summary>Words of messages that depend on a number.</summary>
internal static class Wording
{
    /// <summary>"1 picture", "2 pictures".</summary>
    /// <param name="count">How many.</param>
    /// <param name="noun">The word for one; its plural ends in s.</param>
    public static string Counted(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";
}
