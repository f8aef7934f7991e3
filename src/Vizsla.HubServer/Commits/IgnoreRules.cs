using Vizsla.Hub;

namespace Vizsla.HubServer.Commits;

/// <summary>A <c>.gitignore</c>: which files of an upload are left out.</summary>
/// <remarks>Patterns match a whole path, its last part, or, as a folder's name, what is below; a later <c>!pattern</c> takes files back.</remarks>
internal sealed class IgnoreRules
{
    private readonly IReadOnlyList<(string Pattern, bool IsNegated)> _rules;

    private IgnoreRules(IReadOnlyList<(string, bool)> rules)
    {
        _rules = rules;
    }

    /// <summary>Reads the file.</summary>
    public static IgnoreRules Parse(string text) => new([.. text.Split('\n')
        .Select(l => l.Trim())
        .Where(l => l.Length > 0 && !l.StartsWith('#'))
        .Select(l => l.StartsWith('!') ? (l[1..].TrimStart('/'), true) : (l.TrimStart('/'), false))]);

    /// <summary>Whether a file is left out: the last rule that matches decides.</summary>
    public bool Match(string path)
    {
        var name = path[(path.LastIndexOf('/') + 1)..];
        var ignored = false;
        foreach (var (pattern, isNegated) in _rules)
        {
            var folder = pattern.TrimEnd('/') + "/";
            if (GlobPattern.IsMatch(path, pattern) || GlobPattern.IsMatch(name, pattern)
                || path.StartsWith(folder, StringComparison.Ordinal) || path.Contains("/" + folder, StringComparison.Ordinal))
            {
                ignored = !isNegated;
            }
        }

        return ignored;
    }
}
