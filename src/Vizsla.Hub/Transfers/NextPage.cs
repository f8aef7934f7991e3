using System.Text.RegularExpressions;

namespace Vizsla.Hub.Transfers;

/// <summary>The <c>rel="next"</c> of a <c>Link</c> header.</summary>
internal static partial class NextPage
{
    /// <summary>Where the next page is; null on the last.</summary>
    /// <param name="link">The header.</param>
    /// <param name="current">The page's own address.</param>
    public static Uri? Of(string link, Uri current) =>
        Next().Match(link) is { Success: true } match && Uri.TryCreate(current, match.Groups[1].Value, out var next) ? next : null;

    [GeneratedRegex(@"<([^>]+)>\s*;\s*rel=""?next""?")]
    private static partial Regex Next();
}
