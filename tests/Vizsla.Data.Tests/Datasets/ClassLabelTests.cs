using System.Text.Json;
using Vizsla.Datasets;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets;

public sealed class ClassLabelTests
{
    [Fact]
    public void Names_sort_by_code_point_beyond_the_basic_plane()
    {
        var names = LabelSet.Sorted(["\U0001F436", "\uFB01n", "b", "B", "a b", "a"]);

        Assert.Equal(["B", "a", "a b", "b", "\uFB01n", "\U0001F436"], names);
    }

    [Fact]
    public void A_name_twice_is_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => new ClassLabel(["cat", "cat"]));

        Assert.StartsWith("Class names must differ, but 'cat' is there twice (numbers 0 and 1).", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Category", "Golden")]
    public void Converts_names_and_numbers_as_datasets_does()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Golden.Require("datasets", "decode.json")));
        var recorded = golden.RootElement.GetProperty("class_label");
        var label = new ClassLabel(recorded.GetProperty("names").EnumerateArray().Select(n => n.GetString()!));

        foreach (var call in recorded.GetProperty("calls").EnumerateArray())
        {
            var value = call.GetProperty("value");
            Func<long>? number = (call.GetProperty("method").GetString(), value.ValueKind) switch
            {
                ("str2int" or "encode_example", JsonValueKind.String) => () => label.Str2Int(value.GetString()!),
                ("encode_example", JsonValueKind.Number) when value.TryGetInt64(out var given) => () => label.EncodeExample(given),
                _ => null,
            };
            if (number is not null)
            {
                AssertSame(call, () => number().ToString(System.Globalization.CultureInfo.InvariantCulture));
            }
            else if (call.GetProperty("method").GetString() == "int2str" && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var given))
            {
                AssertSame(call, () => label.Int2Str(given));
            }
        }
    }

    private static void AssertSame(JsonElement call, Func<string> convert)
    {
        if (call.TryGetProperty("error", out var error))
        {
            Assert.Equal(error.GetString(), "ValueError: " + Assert.Throws<DatasetException>(() => convert()).Message);
        }
        else
        {
            Assert.Equal(call.GetProperty("result").ToString(), convert());
        }
    }
}
