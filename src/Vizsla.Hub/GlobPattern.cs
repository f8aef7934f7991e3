namespace Vizsla.Hub;

/// <summary>Shell patterns as Python's <c>fnmatch</c> reads them: <c>*</c> crosses slashes, <c>?</c>, <c>[abc]</c>, <c>[!a-z]</c>; case matters.</summary>
internal static class GlobPattern
{
    /// <summary>Whether a path is asked for: it matches one of the allowed patterns, if there are any, and none of the ignored.</summary>
    /// <param name="path">The whole path.</param>
    /// <param name="allow">Empty allows all; a pattern ending in <c>/</c> means everything below.</param>
    /// <param name="ignore">Wins over <paramref name="allow"/>.</param>
    /// <remarks>Source: huggingface_hub <c>filter_repo_objects</c>. Parity: exact.</remarks>
    public static bool Selects(string path, IReadOnlyList<string> allow, IReadOnlyList<string> ignore)
    {
        ArgumentNullException.ThrowIfNull(allow);
        ArgumentNullException.ThrowIfNull(ignore);
        return (allow.Count == 0 || allow.Any(p => IsMatch(path, Folder(p)))) && !ignore.Any(p => IsMatch(path, Folder(p)));
    }

    /// <summary>Whether a path matches a pattern.</summary>
    /// <param name="path">The whole path.</param>
    /// <param name="pattern">The pattern.</param>
    /// <remarks>Linear in the path's length for each star: no pattern takes long.</remarks>
    public static bool IsMatch(string path, string pattern)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(pattern);
        var (p, s, star, resume) = (0, 0, -1, 0);
        while (s < path.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                (star, resume) = (p++, s);
            }
            else if (p < pattern.Length && MatchesOne(pattern, p, path[s], out var next))
            {
                (p, s) = (next, s + 1);
            }
            else if (star >= 0)
            {
                (p, s) = (star + 1, ++resume);
            }
            else
            {
                return false;
            }
        }

        return pattern.AsSpan(p).TrimStart('*').IsEmpty;
    }

    private static string Folder(string pattern) => pattern.EndsWith('/') ? pattern + "*" : pattern;

    private static bool MatchesOne(string pattern, int at, char c, out int next)
    {
        next = at + 1;
        if (pattern[at] == '?')
        {
            return true;
        }

        if (pattern[at] == '[' && ClosingBracket(pattern, at) is var close and > 0)
        {
            next = close + 1;
            return InSet(pattern.AsSpan(at + 1, close - at - 1), c);
        }

        return pattern[at] == c;
    }

    private static int ClosingBracket(string pattern, int open)
    {
        var from = open + 1;
        from += from < pattern.Length && pattern[from] == '!' ? 1 : 0;
        from += from < pattern.Length && pattern[from] == ']' ? 1 : 0;
        return from < pattern.Length ? pattern.IndexOf(']', from) : -1;
    }

    private static bool InSet(ReadOnlySpan<char> set, char c)
    {
        var negated = set[0] == '!';
        set = negated ? set[1..] : set;
        var found = false;
        for (var i = 0; i < set.Length; i++)
        {
            if (i + 2 < set.Length && set[i + 1] == '-')
            {
                found |= c >= set[i] && c <= set[i + 2];
                i += 2;
            }
            else
            {
                found |= c == set[i];
            }
        }

        return found != negated;
    }
}
