using System.Text.Json.Nodes;
using Vizsla.Hub.Cards;

namespace Vizsla.Hub.Tests.Cards;

// Expectations are what PyYAML 6 writes for the same values with sort_keys=False.
public sealed class YamlWriterTests
{
    [Theory]
    [InlineData("yes", "'yes'")]
    [InlineData("12", "'12'")]
    [InlineData("1e5", "1e5")]
    [InlineData("0x1f", "'0x1f'")]
    [InlineData("2024-01-01", "'2024-01-01'")]
    [InlineData("#3", "'#3'")]
    [InlineData("a: b", "'a: b'")]
    [InlineData("chat noir", "chat noir")]
    [InlineData("it's", "it's")]
    [InlineData("'q'", "'''q'''")]
    [InlineData("", "''")]
    [InlineData("two\nlines", "'two\n\n  lines'")]
    [InlineData("tab\there", "\"tab\\there\"")]
    [InlineData("😀", "😀")]
    public void Texts_are_quoted_only_where_they_would_be_read_as_something_else(string text, string yaml)
    {
        Assert.Equal($"k: {yaml}\n", YamlWriter.Write(new JsonObject { ["k"] = text }));
    }

    [Theory]
    [InlineData(0.1, "0.1")]
    [InlineData(1.0, "1.0")]
    [InlineData(5e-05, "5.0e-05")]
    [InlineData(1e16, "1.0e+16")]
    [InlineData(123456789012345.0, "123456789012345.0")]
    [InlineData(-1.25e-07, "-1.25e-07")]
    [InlineData(double.PositiveInfinity, ".inf")]
    public void Floats_are_written_as_Python_does(double value, string yaml)
    {
        Assert.Equal($"k: {yaml}\n", YamlWriter.Write(new JsonObject { ["k"] = JsonValue.Create(value) }));
    }

    [Fact]
    public void Lists_stand_below_their_key_and_empty_ones_inline()
    {
        var map = new JsonObject
        {
            ["configs"] = new JsonArray(new JsonObject { ["name"] = "default", ["files"] = new JsonArray("a", "b") }),
            ["nested"] = new JsonArray(new JsonArray(1, 2)),
            ["none"] = new JsonArray(),
            ["map"] = new JsonObject(),
            ["null"] = null,
        };

        Assert.Equal("configs:\n- name: default\n  files:\n  - a\n  - b\nnested:\n- - 1\n  - 2\nnone: []\nmap: {}\n'null': null\n", YamlWriter.Write(map));
    }

    [Fact]
    public void A_long_line_is_folded_after_column_80()
    {
        var text = string.Join(' ', Enumerable.Repeat("words", 20));

        Assert.Equal($"k: {string.Join(' ', Enumerable.Repeat("words", 14))}\n  {string.Join(' ', Enumerable.Repeat("words", 6))}\n", YamlWriter.Write(new JsonObject { ["k"] = text }));
    }

    [Fact]
    public void Letters_beyond_ASCII_are_escaped_on_request()
    {
        Assert.Equal("k: \"b\\xEAtes\"\n", YamlWriter.Write(new JsonObject { ["k"] = "bêtes" }, allowUnicode: false));
    }

    [Fact]
    public void A_date_stays_a_date()
    {
        Assert.Equal("k: 2024-01-31\n", YamlWriter.Write(YamlReader.Read("k: 2024-01-31")!.AsObject()));
    }
}
