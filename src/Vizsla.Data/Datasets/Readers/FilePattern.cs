using System.Text;
using System.Text.RegularExpressions;

namespace Vizsla.Datasets.Readers;

/// <summary>A pattern of file paths as <c>data_files</c> takes them: <c>*</c> and <c>?</c> within a folder, <c>**</c> for any folders, <c>[...]</c> for one of some characters.</summary>
/// <remarks>Source: fsspec <c>glob_translate</c>, datasets <c>resolve_pattern</c>. Hidden parts and folders starting with <c>__</c> match only where the pattern names as many of them.</remarks>
internal sealed class FilePattern
{
    private readonly Regex _regex;
    private readonly int _hiddenCount;
    private readonly int _specialCount;

    /// <param name="pattern">Pattern relative to the folder whose files are matched.</param>
    public FilePattern(string pattern)
    {
        _regex = new Regex(Translate(pattern), RegexOptions.CultureInvariant | RegexOptions.Singleline);
        _hiddenCount = HiddenCount(pattern);
        _specialCount = SpecialCount(pattern);
    }

    /// <summary>Whether a pattern holds any of <c>* ? [</c>.</summary>
    public static bool HasMagic(string pattern) => pattern.AsSpan().ContainsAny('*', '?', '[');

    /// <summary>Whether a path relative to the same folder matches.</summary>
    public bool IsMatch(string path) => _regex.IsMatch(path) && HiddenCount(path) == _hiddenCount && SpecialCount(path) == _specialCount;

    private static string Translate(string pattern)
    {
        var parts = pattern.Split('/');
        var result = new StringBuilder("^(?:");
        for (var i = 0; i < parts.Length; i++)
        {
            var isLast = i == parts.Length - 1;
            switch (parts[i])
            {
                case "*":
                    result.Append(isLast ? "[^/]+" : "[^/]+/");
                    break;
                case "**":
                    result.Append(isLast ? ".*" : "(?:.+/)?");
                    break;
                case var part when part.Contains("**", StringComparison.Ordinal):
                    throw new DatasetException($"Invalid pattern '{pattern}': '**' can only be an entire path component");
                default:
                    TranslatePart(parts[i], result);
                    result.Append(isLast ? "" : "/");
                    break;
            }
        }

        return result.Append(@")\z").ToString();
    }

    private static void TranslatePart(string part, StringBuilder result)
    {
        for (var i = 0; i < part.Length; i++)
        {
            switch (part[i])
            {
                case '*':
                    result.Append("[^/]*");
                    break;
                case '?':
                    result.Append("[^/]");
                    break;
                case '[' when ClosingBracket(part, i) is > 0 and var end:
                    result.Append(CharacterSet(part[(i + 1)..end]));
                    i = end;
                    break;
                default:
                    result.Append(Regex.Escape(part[i].ToString()));
                    break;
            }
        }
    }

    private static int ClosingBracket(string part, int open)
    {
        var start = open + 1;
        start += start < part.Length && part[start] == '!' ? 1 : 0;
        return start < part.Length ? part.IndexOf(']', start + 1) : -1;
    }

    // A hyphen between two characters makes a range where the range is not empty; elsewhere it stands for itself.
    private static string CharacterSet(string set)
    {
        var isNegated = set.StartsWith('!');
        var characters = isNegated ? set[1..] : set;
        var result = new StringBuilder(isNegated ? "[^" : "[");
        for (var i = 0; i < characters.Length; i++)
        {
            var isRange = i + 2 < characters.Length && characters[i + 1] == '-';
            if (isRange && characters[i] <= characters[i + 2])
            {
                result.Append(Escape(characters[i])).Append('-').Append(Escape(characters[i + 2]));
            }
            else if (!isRange)
            {
                result.Append(Escape(characters[i]));
            }

            i += isRange ? 2 : 0;
        }

        return result.Length == 1 ? "(?!)" : result.Append(']').ToString();
    }

    private static string Escape(char c) => c is '\\' or ']' or '[' or '^' or '-' ? $"\\{c}" : c.ToString();

    private static int HiddenCount(string path) => path.Split('/').Count(part => part.Length > 0 && part[0] == '.' && part.AsSpan().ContainsAnyExcept('.'));

    private static int SpecialCount(string path) => path.Split('/').SkipLast(1).Count(part => part.StartsWith("__", StringComparison.Ordinal));
}
