using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Primitives;

namespace Vizsla.Data.Tests.Primitives;

public sealed class PythonJsonTests
{
    // Right column: repr() of CPython 3.11.
    [Theory]
    [InlineData(0.0, "0.0")]
    [InlineData(-0.0, "-0.0")]
    [InlineData(3.0, "3.0")]
    [InlineData(0.1, "0.1")]
    [InlineData(1e-5, "1e-05")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(5e-5, "5e-05")]
    [InlineData(1.5e-7, "1.5e-07")]
    [InlineData(1e16, "1e+16")]
    [InlineData(1e15, "1000000000000000.0")]
    [InlineData(123456789012345680.0, "1.2345678901234568e+17")]
    [InlineData(9007199254740993.0, "9007199254740992.0")]
    [InlineData(0.00392156862745098, "0.00392156862745098")]
    [InlineData(1.7976931348623157e308, "1.7976931348623157e+308")]
    [InlineData(5e-324, "5e-324")]
    [InlineData(1e23, "1e+23")]
    [InlineData(9.5367431640625e-07, "9.5367431640625e-07")]
    [InlineData(-1234.5, "-1234.5")]
    [InlineData(double.NaN, "nan")]
    [InlineData(double.NegativeInfinity, "-inf")]
    public void Prints_a_float_as_repr(double value, string expected) => Assert.Equal(expected, PythonJson.Repr(value));

    [Fact]
    public void Keeps_whole_floats_and_integers_apart()
    {
        var node = new JsonArray(1, 1.0, 1L, 0.5f, double.NaN, double.PositiveInfinity, true, null, "a");

        Assert.Equal("[1, 1.0, 1, 0.5, NaN, Infinity, true, null, \"a\"]", PythonJson.Serialize(node, indent: null));
    }

    [Fact]
    public void Keeps_numbers_of_a_document_read_by_the_framework()
    {
        var node = JsonNode.Parse("[1, 1.0, 1e5, 123456789012345678901234567890]");

        Assert.Equal("[1, 1.0, 100000.0, 123456789012345678901234567890]", PythonJson.Serialize(node, indent: null));
    }

    [Fact]
    public void Sorts_keys_by_code_point_and_integer_keys_as_numbers()
    {
        var node = new JsonObject
        {
            ["\uFF5E"] = 1,
            ["\U0001F600"] = 2,
            ["id2label"] = new JsonObject { ["10"] = "k", ["2"] = "c" },
            ["A"] = new JsonArray(),
            ["b"] = new JsonObject(),
        };

        var text = PythonJson.Serialize(node, integerKeyed: new HashSet<string> { "id2label" });

        Assert.Equal(
            """
            {
              "A": [],
              "b": {},
              "id2label": {
                "2": "c",
                "10": "k"
              },
              "\uff5e": 1,
              "\ud83d\ude00": 2
            }
            """,
            text);
    }

    [Theory]
    [InlineData("tab\tquote\"back\\slash/\u007f\u0001é\n\r\b\f", """
        "tab\tquote\"back\\slash/\u007f\u0001\u00e9\n\r\b\f"
        """)]
    public void Escapes_as_ensure_ascii_does(string value, string expected) =>
        Assert.Equal(expected, PythonJson.Serialize(JsonValue.Create(value)));

    [Fact]
    public void Reads_what_Python_adds_to_JSON()
    {
        const string text = """{"a": NaN, "b": [-Infinity, Infinity, -1, 2.0, 1E400], "c": "\u00e9\ud83d\ude00\/", "a": null}""";

        var node = PythonJson.Parse(text);

        Assert.Equal("{\"a\": null, \"b\": [-Infinity, Infinity, -1, 2.0, Infinity], \"c\": \"é\U0001F600/\"}", PythonJson.Serialize(node, indent: null, ensureAscii: false));
    }

    [Theory]
    [InlineData("{\"a\": 1,}", "Line 1, column 9: got '}', expected a key in double quotes.")]
    [InlineData("[1\n 2]", "Line 2, column 2: got '2', expected ']'.")]
    [InlineData("[01]", "Line 1, column 2: got '0', expected a number.")]
    [InlineData("{", "Line 1, column 2: got the end, expected a key in double quotes.")]
    [InlineData("\"a", "Line 1, column 3: got the end, expected a closing double quote.")]
    [InlineData("1 2", "Line 1, column 3: got '2', expected nothing more.")]
    public void Says_where_a_text_is_not_JSON(string text, string message) =>
        Assert.Equal(message, Assert.Throws<JsonException>(() => PythonJson.Parse(text)).Message);
}
