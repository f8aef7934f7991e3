using System.Text.Json;
using Vizsla.Datasets.Writers;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Writers;

public sealed class DatasetSizeTests
{
    [Theory]
    [InlineData("12KB", 12_000)]
    [InlineData("500MB", 500_000_000)]
    [InlineData("1GiB", 1L << 30)]
    [InlineData("2mib", 2L << 20)]
    [InlineData("77", 77)]
    public void Reads_sizes_with_units(string text, long bytes) => Assert.Equal(bytes, DatasetSize.Parse(text));

    [Theory]
    [InlineData("1.5GB")]
    [InlineData("MB")]
    [InlineData("-1KB")]
    [InlineData("")]
    public void Anything_else_is_refused(string text) =>
        Assert.StartsWith($"A size is a whole number with a unit such as '500MB' or '1GiB', got '{text}'.", Assert.Throws<ArgumentException>(() => DatasetSize.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    [Trait("Category", "Golden")]
    public void Counts_the_bytes_of_embedded_pictures_as_recorded()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Golden.Require("datasets", "parquet.json")));

        var bytes = DatasetSize.Estimate(ImageDataset.LoadParquet(Golden.Require("datasets", "pets.parquet")));

        Assert.Equal(golden.RootElement.GetProperty("estimate_nbytes").GetProperty("embedded").GetInt64(), bytes);
    }
}
