using System.Text.Json;
using Vizsla.Datasets;
using Vizsla.Datasets.Splits;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Splits;

[Trait("Category", "Golden")]
public sealed class SplitGoldenTests
{
    [Fact]
    public void Small_splits_and_their_errors_are_those_of_scikit_learn()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Golden.Require("split", "cases.json")));

        foreach (var recorded in golden.RootElement.GetProperty("cases").EnumerateArray())
        {
            string[] labels = [.. recorded.GetProperty("labels").EnumerateArray().Select(l => l.ToString())];
            var size = SplitGolden.Size(recorded.GetProperty("test_size"));
            var seed = recorded.GetProperty("random_state").GetUInt32();
            if (recorded.TryGetProperty("error", out var error))
            {
                Assert.Equal(error.GetString(), Assert.Throws<DatasetException>(() => StratifiedSplit.Split(labels, size, seed)).Message);
                continue;
            }

            var (train, test) = StratifiedSplit.Split(labels, size, seed);

            Assert.Equal(SplitGolden.Rows(recorded.GetProperty("train")), train);
            Assert.Equal(SplitGolden.Rows(recorded.GetProperty("test")), test);
        }
    }

    [Fact]
    public void The_breeds_split_in_three_as_in_scikit_learn()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Golden.Require("split", "breeds.json")));
        var lines = File.ReadAllLines(Golden.RequireData("kaggle-dogs", "labels-all.csv")).Skip(1).Select(l => l.Split(',')).ToArray();
        string[] labels = [.. lines.Select(l => l[1])];

        var (rest, test) = StratifiedSplit.Split(labels, 0.2, 13);
        var (train, validation) = StratifiedSplit.Split([.. rest.Select(r => labels[r])], 0.1, 13);

        Assert.Equal(Ids(golden, "test"), test.Select(r => lines[r][0]));
        Assert.Equal(Ids(golden, "train"), train.Select(r => lines[rest[r]][0]));
        Assert.Equal(Ids(golden, "validation"), validation.Select(r => lines[rest[r]][0]));
    }

    private static IEnumerable<string?> Ids(JsonDocument golden, string part) => golden.RootElement.GetProperty(part).EnumerateArray().Select(id => id.GetString());
}
