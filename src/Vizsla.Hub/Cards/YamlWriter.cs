using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vizsla.Hub.Cards;

/// <summary>JSON nodes to YAML, byte for byte as PyYAML writes them: block style, keys in their order, lines folded after 80 columns.</summary>
/// <remarks>Source: PyYAML <c>yaml.dump(sort_keys=False)</c>. Parity: exact for what JSON can hold.</remarks>
internal sealed class YamlWriter
{
    private const int Indent = 2;
    private const int BestWidth = 80;
    private const int LongestSimpleKey = 128 - 5; // PyYAML counts the tag '!!str' that it does not write

    private readonly StringBuilder _text = new();
    private readonly bool _allowUnicode;
    private readonly string _lineBreak;

    private int _column;
    private bool _afterSpace = true;
    private bool _onlyIndentation = true;

    private YamlWriter(bool allowUnicode, string lineBreak)
    {
        _allowUnicode = allowUnicode;
        _lineBreak = lineBreak;
    }

    /// <summary>Writes a mapping.</summary>
    /// <param name="map">Keys in their order.</param>
    /// <param name="allowUnicode">True: letters beyond ASCII as they are, as huggingface_hub writes cards; false: escaped, as transformers does.</param>
    /// <param name="lineBreak">What ends a line.</param>
    /// <returns>The text, a line break at its end.</returns>
    public static string Write(JsonObject map, bool allowUnicode = true, string lineBreak = "\n")
    {
        ArgumentNullException.ThrowIfNull(map);
        var writer = new YamlWriter(allowUnicode, lineBreak);
        writer.Node(map, 0, isMappingValue: false);
        writer.BreakLine();
        return writer._text.ToString();
    }

    private void Node(JsonNode? node, int indent, bool isMappingValue)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } map:
                Mapping(map, indent);
                break;
            case JsonArray { Count: > 0 } list:
                // A list below a key stands under the key's first letter.
                Sequence(list, isMappingValue && !_onlyIndentation ? indent - Indent : indent);
                break;
            case JsonObject:
                Word("{}", indent);
                break;
            case JsonArray:
                Word("[]", indent);
                break;
            default:
                var (text, isText) = Scalar(node);
                Scalar(text, isText, indent, isKey: false);
                break;
        }
    }

    private void Mapping(JsonObject map, int indent)
    {
        foreach (var (key, value) in map)
        {
            StartLine(indent);
            var isSimple = key.EnumerateRunes().Count() is > 0 and < LongestSimpleKey && !ScalarShape.Of(key, _allowUnicode).IsMultiline;
            if (!isSimple)
            {
                Indicator("?", needsSpace: true, indentation: true);
                Scalar(key, isText: true, indent + Indent, isKey: false);
                StartLine(indent);
                Indicator(":", needsSpace: true, indentation: true);
            }
            else
            {
                Scalar(key, isText: true, indent, isKey: true);
                Indicator(":", needsSpace: false);
            }

            Node(value, indent + Indent, isMappingValue: true);
        }
    }

    private void Sequence(JsonArray list, int indent)
    {
        foreach (var item in list)
        {
            StartLine(indent);
            Indicator("-", needsSpace: true, indentation: true);
            Node(item, indent + Indent, isMappingValue: false);
        }
    }

    private static (string Text, bool IsText) Scalar(JsonNode? node)
    {
        if (node is not JsonValue value)
        {
            return ("null", false);
        }

        if (value.TryGetValue(out string? text))
        {
            return (text, true);
        }

        if (value.TryGetValue(out DateTime time) && value.GetValueKind() == JsonValueKind.String)
        {
            return (YamlScalars.Write(time), false);
        }

        if (value.TryGetValue(out bool flag))
        {
            return (flag ? "true" : "false", false);
        }

        var isFloat = value.TryGetValue(out JsonElement element)
            ? element.GetRawText().AsSpan().ContainsAny(".eE")
            : !value.TryGetValue(out long _) && !value.TryGetValue(out int _);
        return (isFloat ? YamlScalars.Write(value.GetValue<double>()) : value.ToJsonString(), false);
    }

    private void Scalar(string text, bool isText, int indent, bool isKey)
    {
        var shape = ScalarShape.Of(text, _allowUnicode);
        if ((!isText || !YamlScalars.IsSpecial(text)) && shape.AllowsPlain && !(isKey && (text.Length == 0 || shape.IsMultiline)))
        {
            Plain(text, indent, fold: !isKey);
        }
        else if (shape.AllowsSingleQuotes && !(isKey && shape.IsMultiline))
        {
            SingleQuoted(text, indent, fold: !isKey);
        }
        else
        {
            DoubleQuoted(text, indent, fold: !isKey);
        }
    }

    private void Word(string text, int indent) => Plain(text, indent, fold: false);

    private void Plain(string text, int indent, bool fold)
    {
        if (text.Length == 0)
        {
            return;
        }

        Space();
        foreach (var run in Runs(text))
        {
            if (run == " " && fold && _column > BestWidth)
            {
                BreakLine();
                Spaces(indent);
            }
            else
            {
                Put(run);
            }
        }
    }

    private void SingleQuoted(string text, int indent, bool fold)
    {
        Space();
        Put("'");
        var at = 0;
        foreach (var run in Runs(text))
        {
            var inside = at > 0 && at + run.Length < text.Length;
            at += run.Length;
            if (ScalarShape.IsBreak(run[0]))
            {
                // One break more than there are: one alone would read as a space.
                foreach (var c in run[0] == '\n' ? "\n" + run : run)
                {
                    BreakLine(c == '\n' ? _lineBreak : c.ToString());
                }

                Spaces(indent);
            }
            else if (run == " " && fold && inside && _column > BestWidth)
            {
                BreakLine();
                Spaces(indent);
            }
            else
            {
                Put(run.Replace("'", "''", StringComparison.Ordinal));
            }
        }

        Put("'");
    }

    // Runs of spaces, of line breaks, and of everything else.
    private static IEnumerable<string> Runs(string text)
    {
        static int Kind(char c) => c == ' ' ? 0 : ScalarShape.IsBreak(c) ? 1 : 2;
        for (var start = 0; start < text.Length;)
        {
            var end = start + 1;
            while (end < text.Length && Kind(text[end]) == Kind(text[start]))
            {
                end++;
            }

            yield return text[start..end];
            start = end;
        }
    }

    private void DoubleQuoted(string text, int indent, bool fold)
    {
        Space();
        Put("\"");
        var start = 0;
        for (var end = 0; end <= text.Length; end++)
        {
            var isEnd = end == text.Length;
            var pair = !isEnd && char.IsSurrogatePair(text, end);
            if (isEnd || !IsWritable(text, end))
            {
                Put(text[start..end]);
                start = end;
                if (!isEnd)
                {
                    Put(Escape(text, end));
                    end += pair ? 1 : 0;
                    start = end + 1;
                }
            }
            else
            {
                end += pair ? 1 : 0;
            }

            if (fold && end > 0 && end < text.Length - 1 && (text[end] == ' ' || start >= end) && _column + (end - start) > BestWidth)
            {
                Put((start < end ? text[start..end] : "") + "\\");
                start = Math.Max(start, end);
                BreakLine();
                Spaces(indent);
                if (text[start] == ' ')
                {
                    Put("\\");
                }
            }
        }

        Put("\"");
    }

    private bool IsWritable(string text, int at)
    {
        var c = text[at];
        return c is >= ' ' and <= '~' ? c is not ('"' or '\\')
            : _allowUnicode && c is (>= '\u00A0' and <= '\uD7FF') or (>= '\uE000' and <= '\uFFFD') && c is not ('\u2028' or '\u2029' or '\uFEFF');
    }

    private static string Escape(string text, int at) => text[at] switch
    {
        '\0' => "\\0",
        '\a' => "\\a",
        '\b' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\v' => "\\v",
        '\f' => "\\f",
        '\r' => "\\r",
        '\u001B' => "\\e",
        '"' => "\\\"",
        '\\' => "\\\\",
        '\u0085' => "\\N",
        '\u00A0' => "\\_",
        '\u2028' => "\\L",
        '\u2029' => "\\P",
        _ when char.IsSurrogatePair(text, at) => string.Create(CultureInfo.InvariantCulture, $"\\U{char.ConvertToUtf32(text, at):X8}"),
        <= '\u00FF' and var c => string.Create(CultureInfo.InvariantCulture, $"\\x{(int)c:X2}"),
        var c => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}"),
    };

    private void StartLine(int indent)
    {
        if (!_onlyIndentation || _column > indent || (_column == indent && !_afterSpace))
        {
            BreakLine();
        }

        Spaces(indent);
    }

    private void Spaces(int indent)
    {
        if (_column < indent)
        {
            _afterSpace = true;
            _text.Append(' ', indent - _column);
            _column = indent;
        }
    }

    private void Indicator(string text, bool needsSpace, bool indentation = false)
    {
        if (needsSpace)
        {
            Space();
        }

        var only = _onlyIndentation && indentation;
        Put(text);
        _onlyIndentation = only;
    }

    private void Space()
    {
        if (!_afterSpace)
        {
            _text.Append(' ');
            _column++;
        }
    }

    private void Put(string text)
    {
        _text.Append(text);
        _column += text.EnumerateRunes().Count();
        _afterSpace = false;
        _onlyIndentation = false;
    }

    private void BreakLine() => BreakLine(_lineBreak);

    private void BreakLine(string text)
    {
        _text.Append(text);
        _column = 0;
        _afterSpace = true;
        _onlyIndentation = true;
    }
}
