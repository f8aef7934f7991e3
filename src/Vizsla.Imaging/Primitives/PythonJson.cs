using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vizsla.Primitives;

/// <summary>JSON as Python's <c>json</c> module writes and reads it: the layout of every Hugging Face file.</summary>
/// <remarks>
/// Floats print as Python's <c>repr</c> (a whole float keeps its <c>.0</c>), non-ASCII characters as <c>\uXXXX</c>, and
/// <c>NaN</c>, <c>Infinity</c> and <c>-Infinity</c> are bare tokens. An integer and a float stay apart in <see cref="JsonNode"/>:
/// <c>JsonValue.Create(3)</c> is <c>3</c>, <c>JsonValue.Create(3.0)</c> is <c>3.0</c>.
/// Source: <c>json.dumps</c>, <c>json.loads</c>. Parity: exact.
/// </remarks>
internal static class PythonJson
{
    /// <summary>Writes a node as <c>json.dumps</c> does.</summary>
    /// <param name="node">The value; null is <c>null</c>.</param>
    /// <param name="indent">Spaces per level (2 in configurations and states, 4 in result files); null writes one line.</param>
    /// <param name="sortKeys">Whether keys stand in code-point order; the default is true, as in every Hugging Face file.</param>
    /// <param name="ensureAscii">Whether non-ASCII characters are escaped; the default is true.</param>
    /// <param name="integerKeyed">Names of objects whose keys are integers in Python, which sort as numbers (<c>id2label</c>).</param>
    /// <returns>The text, without a newline at its end.</returns>
    public static string Serialize(
        JsonNode? node, int? indent = 2, bool sortKeys = true, bool ensureAscii = true, IReadOnlySet<string>? integerKeyed = null)
    {
        var writer = new Writer(indent, sortKeys, ensureAscii, integerKeyed);
        writer.Write(node, 0, integerKeys: false);
        return writer.ToString();
    }

    /// <summary>Reads a text as <c>json.loads</c> does: also bare <c>NaN</c> and <c>Infinity</c>, and the last of several equal keys.</summary>
    /// <param name="text">The JSON text; a byte order mark is passed over.</param>
    /// <returns>The value; null for <c>null</c>. Integers are <see cref="long"/> where they fit, everything with a point or an exponent is <see cref="double"/>.</returns>
    /// <exception cref="JsonException">The text is not JSON; the message gives line and column.</exception>
    public static JsonNode? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new PythonJsonReader(text).ReadDocument();
    }

    /// <summary>A float as Python's <c>repr</c> prints it: the shortest digits that read back, <c>1e-05</c>, <c>0.0001</c>, <c>1e+16</c>, <c>3.0</c>, <c>nan</c>, <c>inf</c>.</summary>
    /// <param name="value">Any value.</param>
    public static string Repr(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }

        if (value == 0)
        {
            return double.IsNegative(value) ? "-0.0" : "0.0";
        }

        var (digits, exponent) = Decompose(Math.Abs(value));
        var text = exponent is < -4 or >= 16 ? Scientific(digits, exponent) : Positional(digits, exponent);
        return value < 0 ? "-" + text : text;
    }

    /// <summary>The shortest digits that read back, and the power of ten of the first of them.</summary>
    private static (string Digits, int Exponent) Decompose(double value)
    {
        var text = value.ToString("E16", CultureInfo.InvariantCulture);
        var shortest = value.ToString("R", CultureInfo.InvariantCulture);
        var mark = shortest.IndexOf('E', StringComparison.Ordinal);
        var digits = (mark < 0 ? shortest : shortest[..mark]).Replace(".", "", StringComparison.Ordinal).Trim('0');
        var exponent = int.Parse(text[(text.IndexOf('E', StringComparison.Ordinal) + 1)..], CultureInfo.InvariantCulture);

        // Seventeen digits may round up to the next power of ten where the shortest ones do not, and the other way round.
        var candidate = double.Parse(Invariant($"{digits[0]}.{digits[1..]}E{exponent}"), CultureInfo.InvariantCulture);
        return (digits, candidate == value ? exponent : candidate > value ? exponent - 1 : exponent + 1);
    }

    private static string Scientific(string digits, int exponent)
    {
        var mantissa = digits.Length == 1 ? digits : $"{digits[0]}.{digits[1..]}";
        return string.Create(CultureInfo.InvariantCulture, $"{mantissa}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
    }

    private static string Positional(string digits, int exponent)
    {
        if (exponent < 0)
        {
            return "0." + new string('0', -exponent - 1) + digits;
        }

        return digits.Length <= exponent + 1
            ? digits.PadRight(exponent + 1, '0') + ".0"
            : $"{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    private sealed class Writer(int? indent, bool sortKeys, bool ensureAscii, IReadOnlySet<string>? integerKeyed)
    {
        private readonly StringBuilder _text = new();

        public override string ToString() => _text.ToString();

        public void Write(JsonNode? node, int level, bool integerKeys)
        {
            switch (node)
            {
                case null:
                    _text.Append("null");
                    break;
                case JsonObject map:
                    WriteObject(map, level, integerKeys);
                    break;
                case JsonArray list:
                    WriteArray(list, level);
                    break;
                case JsonValue value:
                    WriteValue(value);
                    break;
            }
        }

        private void WriteObject(JsonObject map, int level, bool integerKeys)
        {
            IEnumerable<KeyValuePair<string, JsonNode?>> members = map;
            if (sortKeys)
            {
                members = integerKeys
                    ? map.OrderBy(m => long.Parse(m.Key, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture))
                    : map.OrderBy(m => m.Key, CodePointComparer.Instance);
            }

            WriteItems('{', '}', members, level, member =>
            {
                WriteString(member.Key);
                _text.Append(": ");
                Write(member.Value, level + 1, integerKeyed?.Contains(member.Key) ?? false);
            });
        }

        private void WriteArray(JsonArray list, int level) =>
            WriteItems('[', ']', list, level, item => Write(item, level + 1, integerKeys: false));

        private void WriteItems<T>(char open, char close, IEnumerable<T> items, int level, Action<T> write)
        {
            _text.Append(open);
            var first = true;
            foreach (var item in items)
            {
                _text.Append(first ? "" : indent is null ? ", " : ",");
                NewLine(level + 1);
                write(item);
                first = false;
            }

            if (!first)
            {
                NewLine(level);
            }

            _text.Append(close);
        }

        private void NewLine(int level)
        {
            if (indent is { } width)
            {
                _text.Append('\n').Append(' ', width * level);
            }
        }

        private void WriteValue(JsonValue value)
        {
            switch (value.GetValueKind())
            {
                case JsonValueKind.String:
                    WriteString(value.GetValue<string>());
                    break;
                case JsonValueKind.True or JsonValueKind.False:
                    _text.Append(value.GetValue<bool>() ? "true" : "false");
                    break;
                case JsonValueKind.Null:
                    _text.Append("null");
                    break;
                default:
                    _text.Append(Number(value));
                    break;
            }
        }

        private void WriteString(string text)
        {
            _text.Append('"');
            foreach (var c in text)
            {
                _ = c switch
                {
                    '"' => _text.Append("\\\""),
                    '\\' => _text.Append("\\\\"),
                    '\n' => _text.Append("\\n"),
                    '\r' => _text.Append("\\r"),
                    '\t' => _text.Append("\\t"),
                    '\b' => _text.Append("\\b"),
                    '\f' => _text.Append("\\f"),
                    < ' ' => Escape(c),
                    > '~' when ensureAscii => Escape(c),
                    _ => _text.Append(c),
                };
            }

            _text.Append('"');
        }

        private StringBuilder Escape(char c) => _text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");

        private static string Number(JsonValue value)
        {
            if (value.TryGetValue<double>(out var d) && !IsInteger(value))
            {
                return double.IsFinite(d) ? Repr(d) : double.IsNaN(d) ? "NaN" : d > 0 ? "Infinity" : "-Infinity";
            }

            if (value.TryGetValue<float>(out var f) && !IsInteger(value))
            {
                return Number(JsonValue.Create((double)f));
            }

            return value.ToJsonString();
        }

        private static bool IsInteger(JsonValue value) =>
            value.TryGetValue<JsonElement>(out var element)
                ? element.GetRawText().AsSpan().IndexOfAny('.', 'e', 'E') < 0
                : !(value.TryGetValue<double>(out _) || value.TryGetValue<float>(out _)) || IsBoxedInteger(value);

        private static bool IsBoxedInteger(JsonValue value) =>
            value.GetValue<object>() is int or long or uint or ulong or short or ushort or byte or sbyte;
    }
}
