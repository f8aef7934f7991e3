using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace Vizsla.Datasets.Splits;

/// <summary>Which names can be folders and files of an ImageFolder.</summary>
internal static partial class ClassNameRules
{
    private const int LongestName = 255;
    private static readonly SearchValues<char> s_separators = SearchValues.Create("/\\");

    /// <summary>Why a name cannot be a class folder, as the end of a sentence, or null where it can.</summary>
    public static string? ClassProblem(string name)
    {
        if (string.IsNullOrWhiteSpace(name))
        {
            return "it is empty";
        }

        if (FileProblem(name) is { } problem)
        {
            return problem;
        }

        if (name.StartsWith("__", StringComparison.Ordinal))
        {
            return "image folders ignore folders whose name starts with '__'";
        }

        return SplitKeyword().Match(name) is { Success: true } match
            ? $"image folders read '{match.Groups[1].Value}' in a folder's name as the name of a split"
            : null;
    }

    /// <summary>Why a name cannot be a file of an ImageFolder, as the end of a sentence, or null where it can.</summary>
    public static string? FileProblem(string name)
    {
        if (string.IsNullOrWhiteSpace(name))
        {
            return "it is empty";
        }

        if (name.AsSpan().ContainsAny(s_separators))
        {
            return "it holds a path separator";
        }

        if (name is "." or "..")
        {
            return "it names a folder above";
        }

        if (name[0] == '.')
        {
            return "image folders ignore names that start with '.'";
        }

        if (name.Any(char.IsControl) || name.AsSpan().ContainsAny(Path.GetInvalidFileNameChars()))
        {
            return "it holds a character that file names cannot have";
        }

        return Encoding.UTF8.GetByteCount(name) > LongestName ? $"it is longer than {LongestName} bytes" : null;
    }

    [GeneratedRegex(@"(?:^|[-._ 0-9])(train|training|validation|valid|dev|val|test|testing|eval|evaluation)(?:$|[-._ 0-9])")]
    private static partial Regex SplitKeyword();
}
