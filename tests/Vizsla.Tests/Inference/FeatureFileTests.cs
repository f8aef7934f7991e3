using ParquetSharp;
using Vizsla.Inference;
using Vizsla.Testing;

namespace Vizsla.Tests.Inference;

public sealed class FeatureFileTests
{
    private static readonly PictureFeatures[] s_rows =
        [new("a.jpg", [1, 2.5f, -3]), new("käse.jpg", [], "it is truncated"), new("c.jpg", [0, float.Epsilon, 7])];

    [Fact]
    public void Parquet_has_a_row_for_each_picture()
    {
        using var folder = new TemporaryFolder();

        FeatureFile.Write(folder["features.parquet"], s_rows);

        using var file = new ParquetFileReader(folder["features.parquet"]);
        using var group = file.RowGroup(0);
        Assert.Equal(["file", "features", "error"], Enumerable.Range(0, 3).Select(i => file.FileMetaData.Schema.Column(i).Path.ToDotVector()[0]));
        Assert.Equal(s_rows.Select(r => r.File), group.Column(0).LogicalReader<string>().ReadAll(3));
        var features = group.Column(1).LogicalReader<float[]?>().ReadAll(3);
        Assert.Equal([s_rows[0].Values, null, s_rows[2].Values], features);
        Assert.Equal([null, "it is truncated", null], group.Column(2).LogicalReader<string?>().ReadAll(3));
        Assert.Single(Directory.EnumerateFiles(folder.Path));
    }

    [Fact]
    public void NumPy_has_an_array_of_rows_and_not_a_number_where_a_picture_is_missing()
    {
        using var folder = new TemporaryFolder();

        FeatureFile.Write(folder["features.npy"], s_rows);

        var bytes = File.ReadAllBytes(folder["features.npy"]);
        var length = BitConverter.ToUInt16(bytes, 8);
        Assert.Equal([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0], bytes[..8]);
        Assert.Equal(0, (10 + length) % 64);
        var header = System.Text.Encoding.ASCII.GetString(bytes, 10, length);
        Assert.Equal("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3), }", header.TrimEnd());
        Assert.EndsWith("\n", header, StringComparison.Ordinal);
        var values = new float[9];
        Buffer.BlockCopy(bytes, 10 + length, values, 0, 36);
        Assert.Equal(10 + length + 36, bytes.Length);
        Assert.Equal([1, 2.5f, -3, float.NaN, float.NaN, float.NaN, 0, float.Epsilon, 7], values);
    }

    [Fact]
    public void Another_ending_is_refused_before_anything_is_written()
    {
        using var folder = new TemporaryFolder();

        var error = Assert.Throws<ArgumentException>(() => FeatureFile.Write("features.csv", s_rows));

        Assert.Equal("Features are written to a file that ends in '.parquet' or '.npy', not to 'features.csv'. (Parameter 'path')", error.Message);
        Assert.False(FeatureFile.IsKnown("features.csv"));
    }
}
