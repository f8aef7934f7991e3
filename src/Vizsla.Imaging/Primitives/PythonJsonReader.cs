using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vizsla.Primitives;

/// <summary>Reads one JSON text with the tokens that Python adds; see <see cref="PythonJson.Parse"/>.</summary>
internal sealed class PythonJsonReader(string text)
{
    private const int DeepestLevel = 256;
    private int _at;

    public JsonNode? ReadDocument()
    {
        if (text.StartsWith('\uFEFF'))
        {
            _at = 1;
        }

        var node = ReadValue(0);
        SkipSpace();
        return _at == text.Length ? node : throw Error("nothing more");
    }

    private JsonNode? ReadValue(int level)
    {
        if (level > DeepestLevel)
        {
            throw Error($"at most {DeepestLevel} levels");
        }

        SkipSpace();
        switch (Peek())
        {
            case '{':
                return ReadObject(level);
            case '[':
                return ReadArray(level);
            case '"':
                return JsonValue.Create(ReadString());
            case '-' or (>= '0' and <= '9') when !At("-Infinity"):
                return ReadNumber();
        }

        return TryTake("null") ? null
            : TryTake("true") ? JsonValue.Create(true)
            : TryTake("false") ? JsonValue.Create(false)
            : TryTake("NaN") ? JsonValue.Create(double.NaN)
            : TryTake("Infinity") ? JsonValue.Create(double.PositiveInfinity)
            : TryTake("-Infinity") ? JsonValue.Create(double.NegativeInfinity)
            : throw Error("a value");
    }

    private JsonObject ReadObject(int level)
    {
        var map = new JsonObject();
        _at++;
        SkipSpace();
        if (TryTake("}"))
        {
            return map;
        }

        do
        {
            SkipSpace();
            if (Peek() != '"')
            {
                throw Error("a key in double quotes");
            }

            var key = ReadString();
            SkipSpace();
            Take(':');
            map[key] = ReadValue(level + 1);
            SkipSpace();
        }
        while (TryTake(","));

        Take('}');
        return map;
    }

    private JsonArray ReadArray(int level)
    {
        var list = new JsonArray();
        _at++;
        SkipSpace();
        if (TryTake("]"))
        {
            return list;
        }

        do
        {
            list.Add(ReadValue(level + 1));
            SkipSpace();
        }
        while (TryTake(","));

        Take(']');
        return list;
    }

    private JsonValue ReadNumber()
    {
        var start = _at;
        while (_at < text.Length && (char.IsAsciiDigit(text[_at]) || text[_at] is '-' or '+' or '.' or 'e' or 'E'))
        {
            _at++;
        }

        var number = text.AsSpan(start, _at - start);
        if (!IsNumber(number))
        {
            _at = start;
            throw Error("a number");
        }

        return number.IndexOfAny('.', 'e', 'E') < 0 && long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)
            ? JsonValue.Create(whole)
            : JsonValue.Create(double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture));
    }

    /// <summary>JSON's own grammar: no leading zero, digits on both sides of the point.</summary>
    private static bool IsNumber(ReadOnlySpan<char> number)
    {
        try
        {
            var reader = new Utf8JsonReader(Encoding.ASCII.GetBytes(number.ToString()));
            return reader.Read() && reader.TokenType == JsonTokenType.Number && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private string ReadString()
    {
        var value = new StringBuilder();
        _at++;
        while (true)
        {
            var c = Peek();
            switch (c)
            {
                case '\0' when _at >= text.Length:
                    throw Error("a closing double quote");
                case '"':
                    _at++;
                    return value.ToString();
                case '\\':
                    value.Append(ReadEscape());
                    break;
                case < ' ':
                    throw Error("an escape in place of a control character");
                default:
                    value.Append(c);
                    _at++;
                    break;
            }
        }
    }

    private char ReadEscape()
    {
        _at++;
        var c = Peek();
        if (c == 'u' && _at + 4 < text.Length
            && ushort.TryParse(text.AsSpan(_at + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
        {
            _at += 5;
            return (char)code;
        }

        var value = c switch { '"' or '\\' or '/' => c, 'n' => '\n', 'r' => '\r', 't' => '\t', 'b' => '\b', 'f' => '\f', _ => throw Error("an escape") };
        _at++;
        return value;
    }

    private char Peek() => _at < text.Length ? text[_at] : '\0';

    private bool At(string token) => string.CompareOrdinal(text, _at, token, 0, token.Length) == 0;

    private bool TryTake(string token)
    {
        var found = At(token);
        _at += found ? token.Length : 0;
        return found;
    }

    private void Take(char c)
    {
        if (Peek() != c)
        {
            throw Error($"'{c}'");
        }

        _at++;
    }

    private void SkipSpace()
    {
        while (_at < text.Length && text[_at] is ' ' or '\t' or '\n' or '\r')
        {
            _at++;
        }
    }

    private JsonException Error(string expected)
    {
        var before = text.AsSpan(0, Math.Min(_at, text.Length));
        var line = before.Count('\n') + 1;
        var column = before.Length - before.LastIndexOf('\n');
        var got = _at < text.Length ? $"'{text[_at]}'" : "the end";
        return new JsonException($"Line {line}, column {column}: got {got}, expected {expected}.");
    }
}
