using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Vizsla.Datasets;
using Vizsla.Datasets.Splits;
using Vizsla.Primitives;
using Vizsla.Testing;
using Vizsla.Tests.Datasets.Splits;

namespace Vizsla.Tests.Datasets;

/// <summary>Orders of rows: every recorded operation on rows 0 to n - 1.</summary>
[Trait("Category", "Golden")]
public sealed class DatasetOrderGoldenTests
{
    [Fact]
    public void Every_recorded_operation_gives_the_recorded_order()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Golden.Require("datasets", "orders.json")));

        var wrong = golden.RootElement.GetProperty("cases").EnumerateArray().Select(Difference).OfType<string>().ToList();

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
    }

    private static string? Difference(JsonElement recorded)
    {
        string got;
        try
        {
            got = Run(recorded);
        }
        catch (Exception e) when (e is DatasetException or ArgumentOutOfRangeException)
        {
            got = "error " + e.Message;
        }

        if (!recorded.TryGetProperty("error", out var error))
        {
            var expected = Expected(recorded);
            return got == expected ? null : $"{recorded}: got {got}, expected {expected}";
        }

        // Python names the type first; its own text of an overflow is of no use to anyone.
        var message = error.GetString()!;
        message = message.StartsWith("OverflowError", StringComparison.Ordinal) ? "error" : "error " + message[(message.IndexOf(": ", StringComparison.Ordinal) + 2)..];
        return got.StartsWith(message, StringComparison.Ordinal) ? null : $"{recorded}: got {got}";
    }

    private static string Run(JsonElement c) => c.GetProperty("op").GetString() switch
    {
        "shuffle" => c.TryGetProperty("first", out _) ? Hash(Numbers(Rows(c).Shuffle(Seed(c)))) : Text(Rows(c).Shuffle(Seed(c))),
        "shuffle-select" => Text(Rows(c).Shuffle(Seed(c)).Take(c.GetProperty("select").GetInt32())),
        "shuffle-shuffle" => Text(c.GetProperty("seeds").EnumerateArray().Aggregate(Rows(c), (d, s) => d.Shuffle(s.GetUInt64()))),
        "shuffle-without-seed" => WithoutSeed(c),
        "train_test_split" => Parts(Rows(c).TrainTestSplit(SplitGolden.Size(c, "test_size"), SplitGolden.Size(c, "train_size"), Seed(c), !c.TryGetProperty("shuffle", out var shuffle) || shuffle.GetBoolean())),
        "train_test_split-without-seed" => Parts(Rows(c).TrainTestSplit(new NumpyRandomState(c.GetProperty("numpy_seed").GetUInt32()), SplitGolden.Size(c, "test_size"))),
        "stratified" => Parts(Labeled(c).TrainTestSplit(SplitGolden.Size(c, "test_size"), seed: Seed(c), stratifyByColumn: "label")),
        "stratified-bad-column" => Parts(Labeled([0, 0, 1, 1]).TrainTestSplit(0.5, stratifyByColumn: c.GetProperty("column").GetString())),
        "select" => Text(Rows(c).Select(Numbers(c.GetProperty("indices")))),
        "take" => Text(Rows(c).Take(c.GetProperty("k").GetInt32())),
        "skip" => Text(Rows(c).Skip(c.GetProperty("k").GetInt32())),
        "shard" or "shard-default" => Shards(c),
        "shard-bad-index" => Text(Rows(c).Shard(c.GetProperty("num_shards").GetInt32(), c.GetProperty("index").GetInt32())),
        "sort" => Sorted(c),
        "concatenate" => Text(ImageDataset.Concatenate([.. Enumerable.Range(0, 3).Select(k => Numbered(Enumerable.Range(10 * k, k == 0 ? 3 : 6 - k)))])),
        "interleave" => Interleaved(c),
        "split" => Slices(c),
        var other => $"unknown operation {other}",
    };

    private static string Expected(JsonElement c) => c.GetProperty("op").GetString() switch
    {
        "shuffle-without-seed" => string.Join(" / ", c.GetProperty("orders").EnumerateArray().Select(o => Text(Numbers(o)))),
        "shard" or "shard-default" => string.Join(" / ", c.GetProperty("shards").EnumerateArray().Select(s => s.ValueKind == JsonValueKind.String ? s.GetString()!["IndexError: ".Length..] : Text(Numbers(s)))),
        "split" => string.Join(" / ", c.GetProperty("slices").EnumerateArray().Select(s => $"{s[0]} {s[1]} {s[2]}")),
        _ when c.TryGetProperty("sha256_of_comma_joined", out var hash) => hash.GetString()!,
        _ when c.TryGetProperty("train", out var train) => $"{Text(Numbers(train))} / {Text(Numbers(c.GetProperty("test")))}",
        _ => Text(Numbers(c.GetProperty("order"))),
    };

    private static string WithoutSeed(JsonElement c)
    {
        var global = new NumpyRandomState(c.GetProperty("numpy_seed").GetUInt32());
        return string.Join(" / ", Enumerable.Range(0, c.GetProperty("orders").GetArrayLength()).Select(_ => Text(Rows(c).Shuffle(global))));
    }

    private static string Shards(JsonElement c)
    {
        var count = c.GetProperty("num_shards").GetInt32();
        var contiguous = !c.TryGetProperty("contiguous", out var given) || given.GetBoolean();
        return string.Join(" / ", Enumerable.Range(0, count).Select(i =>
        {
            try
            {
                return Text(Rows(c).Shard(count, i, contiguous));
            }
            catch (ArgumentOutOfRangeException e)
            {
                return e.Message[..e.Message.IndexOf(" (Parameter", StringComparison.Ordinal)];
            }
        }));
    }

    private static string Sorted(JsonElement c)
    {
        var dataset = ImageDatasetBuilder.From(c.GetProperty("s").EnumerateArray().Zip(c.GetProperty("f").EnumerateArray()).Index())
            .With("i", r => r.Index).With("s", r => r.Item.First.GetString()).With("f", r => r.Item.Second.GetDouble()).Build();
        var (by, reverse) = (c.GetProperty("by"), c.GetProperty("reverse"));
        (string, bool)[] columns = by.ValueKind == JsonValueKind.Array
            ? [.. by.EnumerateArray().Zip(reverse.EnumerateArray(), (b, r) => (b.GetString()!, r.GetBoolean()))]
            : [(by.GetString()!, reverse.GetBoolean())];
        return Text(dataset.Sort(columns));
    }

    private static string Interleaved(JsonElement c)
    {
        ImageDataset[] datasets = [.. c.GetProperty("datasets").EnumerateArray().Select(d => Numbered(Numbers(d)))];
        double[]? probabilities = c.TryGetProperty("probabilities", out var p) ? [.. p.EnumerateArray().Select(v => v.GetDouble())] : null;
        return Text(ImageDataset.Interleave(datasets, probabilities, Seed(c), c.TryGetProperty("stopping_strategy", out var s) && s.GetString() == "all_exhausted"));
    }

    private static string Slices(JsonElement c)
    {
        var sizes = c.GetProperty("sizes").EnumerateObject().Select(s => KeyValuePair.Create(s.Name, s.Value.GetInt32()));
        return string.Join(" / ", SplitInstruction.Parse(c.GetProperty("spec").GetString()!).Resolve(sizes).Select(s => $"{s.Split} {s.From} {s.To}"));
    }

    private static ImageDataset Rows(JsonElement c) => Numbered(Enumerable.Range(0, c.GetProperty("n").GetInt32()));

    private static ImageDataset Numbered(IEnumerable<int> numbers) => ImageDatasetBuilder.From(numbers).With("i", i => i).Build();

    private static ImageDataset Labeled(JsonElement c) => Labeled(Numbers(c.GetProperty("labels")));

    private static ImageDataset Labeled(int[] labels) => ImageDatasetBuilder.From(labels.Index())
        .With("i", r => r.Index).WithLabel(r => $"c{r.Item}", [.. Enumerable.Range(0, labels.Max() + 1).Select(k => $"c{k}")]).Build();

    private static ulong Seed(JsonElement c) => c.TryGetProperty("seed", out var seed) ? seed.GetUInt64() : 0;

    private static int[] Numbers(JsonElement list) => [.. list.EnumerateArray().Select(v => v.GetInt32())];

    private static int[] Numbers(ImageDataset dataset) => [.. Enumerable.Range(0, dataset.Count).Select(row => (int)(long)dataset.Value(row, "i")!)];

    private static string Parts(DatasetDict parts) => $"{Text(parts["train"])} / {Text(parts["test"])}";

    private static string Text(ImageDataset dataset) => Text(Numbers(dataset));

    private static string Text(int[] numbers) => string.Join(',', numbers);

    private static string Hash(int[] numbers) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text(numbers))));
}
