using System.Text;
using System.Text.RegularExpressions;

namespace Vizsla.Hub.Transfers;

/// <summary>Shell patterns as Python's <c>fnmatch</c> reads them: <c>*</c> crosses slashes, <c>?</c>, <c>[abc]</c>, <c>[!a-z]</c>; case matters.</summary>
internal static class GlobPattern
{
    /// <summary>Whether a path is asked for: it matches one of the allowed patterns, if there are any, and none of the ignored.</summary>
    /// <param name="path">The whole path.</param>
    /// <param name="allow">Empty allows all; a pattern ending in <c>/</c> means everything below.</param>
    /// <param name="ignore">Wins over <paramref name="allow"/>.</param>
    /// <remarks>Source: huggingface_hub <c>filter_repo_objects</c>. Parity: exact.</remarks>
    public static bool Selects(string path, IReadOnlyList<string> allow, IReadOnlyList<string> ignore) =>
        (allow.Count == 0 || allow.Any(p => IsMatch(path, Folder(p)))) && !ignore.Any(p => IsMatch(path, Folder(p)));

    /// <summary>Whether a path matches a pattern.</summary>
    /// <param name="path">The whole path.</param>
    /// <param name="pattern">The pattern.</param>
    public static bool IsMatch(string path, string pattern) =>
        Regex.IsMatch(path, Translate(pattern), RegexOptions.Singleline | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));

    private static string Folder(string pattern) => pattern.EndsWith('/') ? pattern + "*" : pattern;

    private static string Translate(string pattern)
    {
        var text = new StringBuilder("^(?:");
        for (var i = 0; i < pattern.Length; i++)
        {
            var close = pattern[i] == '[' ? ClosingBracket(pattern, i) : -1;
            if (close > 0)
            {
                text.Append(Set(pattern[(i + 1)..close]));
                i = close;
                continue;
            }

            text.Append(pattern[i] switch
            {
                '*' => ".*",
                '?' => ".",
                var c => Regex.Escape(c.ToString()),
            });
        }

        return text.Append(@")\z").ToString();
    }

    private static int ClosingBracket(string pattern, int open)
    {
        var from = open + 1;
        from += from < pattern.Length && pattern[from] == '!' ? 1 : 0;
        from += from < pattern.Length && pattern[from] == ']' ? 1 : 0;
        return from < pattern.Length ? pattern.IndexOf(']', from) : -1;
    }

    private static string Set(string inside)
    {
        var negated = inside.StartsWith('!');
        var characters = (negated ? inside[1..] : inside).Replace(@"\", @"\\", StringComparison.Ordinal)
            .Replace("[", @"\[", StringComparison.Ordinal).Replace("]", @"\]", StringComparison.Ordinal).Replace("^", @"\^", StringComparison.Ordinal);
        return $"[{(negated ? "^" : "")}{characters}]";
    }
}
