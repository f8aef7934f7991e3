using Vizsla.Datasets;
using Vizsla.Datasets.Storage;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Storage;

public sealed class DiskTableTests
{
    private static readonly Features s_columns = new(
        KeyValuePair.Create("image", (Feature)new ImageFeature()),
        KeyValuePair.Create("value", (Feature)new OtherFeature("{}")));

    [Fact]
    public void Every_kind_of_value_comes_back()
    {
        using var folder = new TemporaryFolder();
        object?[] values = [null, 7L, -1.5, true, "é🐶", new byte[] { 1, 2 }, new List<object?> { 1L, null }, new Dictionary<string, object?> { ["a"] = 1L }, new DateTimeOffset(2020, 1, 2, 3, 4, 5, TimeSpan.Zero)];

        var table = DiskTable.OpenOrMake(folder["rows"], s_columns, values.Select(v => new[] { new ImageSource("a.jpg", new byte[] { 9 }), v }));

        Assert.Equal(values.Length, table.Count);
        Assert.Equal(values, Enumerable.Range(0, table.Count).Select(row => table.Value(row, 1)));
        var image = Assert.IsType<ImageSource>(table.Value(3, 0));
        Assert.Equal("a.jpg", image.Path);
        Assert.Equal([9], image.Bytes!.Value.ToArray());
    }

    [Fact]
    public void Rows_are_written_once()
    {
        using var folder = new TemporaryFolder();
        DiskTable.OpenOrMake(folder["rows"], s_columns, [[new ImageSource("a.jpg"), 1L]]);

        var table = DiskTable.OpenOrMake(folder["rows"], s_columns, Rows());

        Assert.Equal(1, table.Count);
        Assert.Null(Assert.IsType<ImageSource>(table.Value(0, 0)).Bytes);

        static IEnumerable<object?[]> Rows() => Enumerable.Range(0, 1).Select<int, object?[]>(_ => throw new InvalidOperationException("read again"));
    }

    [Fact]
    public void A_failure_leaves_no_folder()
    {
        using var folder = new TemporaryFolder();

        Assert.Throws<DatasetException>(() => DiskTable.OpenOrMake(folder["rows"], s_columns, [[new ImageSource("a.jpg"), 1L], [null, new object()]]));

        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }
}
