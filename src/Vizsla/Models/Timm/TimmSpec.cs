using System.Globalization;

namespace Vizsla.Models.Timm;

/// <summary>A function of the table with the arguments that are bound to it, such as <c>BatchNorm2d(eps=0.001)</c>.</summary>
/// <param name="Name">Name of the function or class.</param>
/// <param name="Arguments">Text of each argument by its name.</param>
internal sealed record TimmSpec(string Name, IReadOnlyDictionary<string, string> Arguments)
{
    /// <summary>Reads the text of the table.</summary>
    public static TimmSpec Parse(string text)
    {
        var open = text.IndexOf('(', StringComparison.Ordinal);
        var arguments = new Dictionary<string, string>(StringComparer.Ordinal);
        if (open < 0)
        {
            return new TimmSpec(text, arguments);
        }

        var (depth, start) = (0, open + 1);
        for (var i = start; i < text.Length; i++)
        {
            if (depth == 0 && (text[i] == ',' || i == text.Length - 1))
            {
                var part = text[start..i].Trim();
                var equals = part.IndexOf('=', StringComparison.Ordinal);
                arguments[part[..equals]] = part[(equals + 1)..];
                start = i + 1;
            }

            depth += text[i] is '(' or '[' ? 1 : text[i] is ')' or ']' ? -1 : 0;
        }

        return new TimmSpec(text[..open], arguments);
    }

    /// <summary>A number among the arguments.</summary>
    public double Number(string name, double missing) =>
        Arguments.TryGetValue(name, out var text) ? double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture) : missing;

    /// <summary>A whole number among the arguments.</summary>
    public int WholeNumber(string name, int missing) => (int)Number(name, missing);
}
