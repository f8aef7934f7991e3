using System.IO.Compression;
using System.Text;
using Vizsla.Models;
using Vizsla.Models.Weights;
using Vizsla.Testing;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models.Weights;

/// <summary>Files of <c>torch.save</c>; those below <c>Fixtures</c> were made with torch 2.13.</summary>
public sealed class PickleCheckpointTests
{
    [Theory]
    [InlineData("weights.bin")]
    [InlineData("weights-legacy.bin")]
    [InlineData("weights-nested.bin")]
    public void Every_layout_of_torch_reads(string name)
    {
        using var scope = NewDisposeScope();
        using var file = PickleCheckpoint.Open(Path.Combine(Golden.Checkout, "tests", "Fixtures", name));

        float[] Values(string tensor) => file.Read(file.Tensors[tensor]).to_type(ScalarType.Float32).flatten().data<float>().ToArray();

        Assert.Equal(["plain", "turned", "half", "brain", "count", "part", "parameter"], file.Tensors.Keys);
        Assert.Equal([0, 1, 2, 3, 4, 5], Values("plain"));
        Assert.Equal([3, 2], file.Tensors["turned"].Shape);
        Assert.Equal([0, 3, 1, 4, 2, 5], Values("turned"));
        Assert.Equal([1.5f, -2], Values("half"));
        Assert.Equal([0.5f, 3], Values("brain"));
        Assert.Equal([7], Values("count"));
        Assert.Equal([3, 4, 5], Values("part"));
        Assert.Equal([1, 1, 1, 1], Values("parameter"));
    }

    [Fact]
    public void A_call_of_anything_but_tensors_is_refused_and_not_made()
    {
        using var folder = new TemporaryFolder();
        var path = Zip(folder, "cos\nsystem\n(X\u0004\0\0\0trueta.");

        var error = Assert.Throws<ModelLoadException>(() => PickleCheckpoint.Open(path));

        Assert.Equal(
            $"'{path}' is not read: it asks for 'os.system', which no weights need. Nothing in it was run; save the weights as safetensors.", error.Message);
    }

    [Theory]
    [InlineData("\u0080\u0002i", "it uses the pickle operation 0x69, which no weights need")]
    [InlineData("\u0080\u0002}", "it ends in the middle of a pickle")]
    [InlineData("\u0080\u0002h\u0005.", "it recalls a value that was never stored")]
    [InlineData("\u0080\u0002R.", "it takes a value from an empty stack")]
    [InlineData("\u0080\u0002X\u00ff\u00ff\u00ff\u007f", "it ends in the middle of a pickle")]
    [InlineData("\u0080\u0002NQ.", "it refers to something else than a storage of numbers")]
    public void A_damaged_pickle_is_refused(string pickle, string reason)
    {
        using var folder = new TemporaryFolder();
        var path = Zip(folder, pickle);

        var error = Assert.Throws<ModelLoadException>(() => PickleCheckpoint.Open(path));

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(700)]
    [InlineData(2000)]
    public void A_cut_file_is_refused(int length)
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "weights.bin");
        File.WriteAllBytes(path, File.ReadAllBytes(Path.Combine(Golden.Checkout, "tests", "Fixtures", "weights.bin"))[..length]);

        Assert.Throws<ModelLoadException>(() => PickleCheckpoint.Open(path));
    }

    [Fact]
    public void Something_else_than_weights_is_said_to_be_so()
    {
        using var folder = new TemporaryFolder();
        var path = Zip(folder, "\u0080\u0002K\u0003.");

        using var file = PickleCheckpoint.Open(path);

        Assert.Equal(3L, file.Root);
        var error = Assert.Throws<ModelLoadException>(() => file.Tensors);
        Assert.Equal($"'{path}' holds no dictionary of tensors; expected the weights of a model.", error.Message);
    }

    private static string Zip(TemporaryFolder folder, string pickle)
    {
        var path = Path.Combine(folder.Path, "weights.bin");
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        using var stream = archive.CreateEntry("archive/data.pkl", CompressionLevel.NoCompression).Open();
        stream.Write(Encoding.Latin1.GetBytes(pickle));
        return path;
    }
}
