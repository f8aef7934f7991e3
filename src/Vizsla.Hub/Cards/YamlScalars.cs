using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Vizsla.Hub.Cards;

/// <summary>How YAML 1.1 resolves plain scalars, and how Python writes numbers.</summary>
/// <remarks>Source: PyYAML <c>resolver.py</c>, <c>constructor.py</c>, <c>representer.py</c>.</remarks>
internal static partial class YamlScalars
{
    /// <summary>Whether a plain scalar would be read as something other than a string.</summary>
    public static bool IsSpecial(string word) =>
        Null().IsMatch(word) || Boolean().IsMatch(word) || Integer().IsMatch(word) || Float().IsMatch(word) || Timestamp().IsMatch(word) || word is "<<" or "=";

    /// <summary>The value of a plain scalar.</summary>
    public static JsonNode? Read(string word)
    {
        if (Null().IsMatch(word))
        {
            return null;
        }

        if (Boolean().IsMatch(word))
        {
            return JsonValue.Create(word.ToUpperInvariant() is "YES" or "TRUE" or "ON");
        }

        if (Integer().IsMatch(word) && TryInteger(word, out var integer))
        {
            return JsonValue.Create(integer);
        }

        if (Float().IsMatch(word) && !word.Contains(':', StringComparison.Ordinal))
        {
            return JsonValue.Create(ReadFloat(word));
        }

        return Timestamp().IsMatch(word) && DateTimeOffset.TryParse(word, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? JsonValue.Create(time.UtcDateTime)
            : JsonValue.Create(word);
    }

    /// <summary>A date, or a date and time, as Python writes it.</summary>
    public static string Write(DateTime time) => time.ToString(time.TimeOfDay == TimeSpan.Zero ? "yyyy-MM-dd" : time.Ticks % TimeSpan.TicksPerSecond == 0 ? "yyyy-MM-dd HH:mm:ss" : "yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture);

    /// <summary>A number as Python's <c>repr</c> writes it, in YAML's spelling.</summary>
    public static string Write(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? ".nan" : value > 0 ? ".inf" : "-.inf";
        }

        var (sign, digits, exponent) = Digits(value);
        if (exponent is < -4 or >= 16)
        {
            var mantissa = digits.Length == 1 ? digits + ".0" : digits[..1] + "." + digits[1..];
            return $"{sign}{mantissa}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }

        var point = exponent + 1;
        return sign + (point <= 0 ? "0." + new string('0', -point) + digits
            : digits.Length <= point ? digits + new string('0', point - digits.Length) + ".0"
            : digits[..point] + "." + digits[point..]);
    }

    // The shortest digits that read back as the same number, and the power of ten of the first of them.
    private static (string Sign, string Digits, int Exponent) Digits(double value)
    {
        var text = value.ToString("E16", CultureInfo.InvariantCulture);
        for (var precision = 0; precision <= 16; precision++)
        {
            text = value.ToString(Invariant($"E{precision}"), CultureInfo.InvariantCulture);
            if (double.Parse(text, CultureInfo.InvariantCulture).Equals(value))
            {
                break;
            }
        }

        var parts = text.TrimStart('-').Split('E');
        return (double.IsNegative(value) ? "-" : "", parts[0].Replace(".", "", StringComparison.Ordinal), int.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    private static bool TryInteger(string word, out long value)
    {
        var text = word.Replace("_", "", StringComparison.Ordinal);
        var negative = text[0] == '-';
        text = text.TrimStart('+', '-');
        var (digits, radix) = text switch
        {
            ['0', 'b', .. var rest] => (rest, 2),
            ['0', 'x', .. var rest] => (rest, 16),
            ['0', _, ..] => (text[1..], 8),
            _ => (text, 10),
        };
        value = 0;
        if (digits.Contains(':', StringComparison.Ordinal))
        {
            return false;
        }

        try
        {
            value = radix == 10 ? long.Parse(digits, CultureInfo.InvariantCulture) : Convert.ToInt64(digits, radix);
            value = negative ? -value : value;
            return true;
        }
        catch (Exception e) when (e is OverflowException or FormatException)
        {
            return false;
        }
    }

    private static double ReadFloat(string word) => word.ToUpperInvariant().TrimStart('+') switch
    {
        ".INF" => double.PositiveInfinity,
        "-.INF" => double.NegativeInfinity,
        ".NAN" => double.NaN,
        var number => double.Parse(number.Replace("_", "", StringComparison.Ordinal), CultureInfo.InvariantCulture),
    };

    [GeneratedRegex(@"^(?:~|null|Null|NULL|)\z")]
    private static partial Regex Null();

    [GeneratedRegex(@"^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)\z")]
    private static partial Regex Boolean();

    [GeneratedRegex(@"^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)\z")]
    private static partial Regex Integer();

    [GeneratedRegex(@"^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\z")]
    private static partial Regex Float();

    [GeneratedRegex(@"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)\z")]
    private static partial Regex Timestamp();
}
