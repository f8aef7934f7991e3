using System.Buffers.Binary;
using System.Text;
using Vizsla.Models;
using Vizsla.Models.Weights;
using Vizsla.Primitives;
using Vizsla.Testing;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Tests.Models.Weights;

public sealed class SafetensorsFileTests
{
    private const string OneTensor = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";

    [Fact]
    public void What_is_written_reads_back()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var path = Path.Combine(folder.Path, "model.safetensors");
        var tensors = new Dictionary<string, Tensor>
        {
            ["b"] = arange(Kept(6L), dtype: ScalarType.Float32).reshape(2, 3).t(),
            ["a"] = tensor(7L),
            ["half"] = ones(3, dtype: ScalarType.Float16),
            ["none"] = empty([0, 4]),
            ["true"] = tensor(new[] { true, false }),
        };

        SafetensorsFile.Write(path, tensors);

        using var file = SafetensorsFile.Open(path);
        Assert.Equal("pt", file.Metadata!["format"]);
        Assert.Equal(["a", "b", "none", "half", "true"], file.Tensors.Select(t => t.Name));
        foreach (var (name, value) in tensors)
        {
            var read = file.Read(name);
            Assert.Equal(value.shape, read.shape);
            Assert.Equal(value.dtype, read.dtype);
            Assert.True(read.numel() == 0 || read.eq(value).all().item<bool>(), name);
        }
    }

    [Fact]
    public void The_header_is_compact_padded_to_eight_bytes_and_names_types_before_names()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var path = Path.Combine(folder.Path, "model.safetensors");

        SafetensorsFile.Write(path, new Dictionary<string, Tensor> { ["b"] = zeros(1), ["é\"\\"] = zeros(1), ["n"] = tensor(1L) });

        var bytes = File.ReadAllBytes(path);
        var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        var header = Encoding.UTF8.GetString(bytes, 8, length);
        Assert.Equal(0, length % 8);
        Assert.Equal(
            """{"__metadata__":{"format":"pt"},"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"é\"\\":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}""",
            header.TrimEnd(' '));
        Assert.Equal([path], Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Theory]
    [InlineData("[]", 0, "its header does not begin with '{'")]
    [InlineData("{\"a\":3}", 0, "its header gives no object for 'a'")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}", 8, "its header is not JSON")]
    [InlineData(OneTensor, 4, "its header describes 8 bytes of data, but 4 follow")]
    [InlineData(OneTensor, 12, "its header describes 8 bytes of data, but 12 follow")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, "the bytes of 'a' begin at 4, expected 0")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "'a' of type F32 and shape [3] does not fit")]
    [InlineData("{\"a\":{\"dtype\":\"F33\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "'a' has the unknown dtype 'F33'")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "a list of at most 64 whole numbers from 0")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,9223372036854775807],\"data_offsets\":[0,8]}}", 8, "does not fit")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "lacks a dtype, a shape or two data_offsets")]
    [InlineData("{\"__metadata__\":{\"n\":1}}", 0, "the value of 'n' in __metadata__ is not a text")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "its header names 'a' twice")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "tensors may neither overlap nor leave a gap")]
    public void A_header_that_does_not_hold_is_refused(string header, int dataLength, string reason)
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "model.safetensors");
        File.WriteAllBytes(path, [.. FileBytes(header), .. new byte[dataLength]]);

        var error = Assert.Throws<ModelLoadException>(() => SafetensorsFile.Open(path));

        Assert.StartsWith($"'{path}' is not a whole safetensors file: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(40)]
    [InlineData(69)]
    public void A_cut_file_is_refused(int length)
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "model.safetensors");
        File.WriteAllBytes(path, [.. ((byte[])[.. FileBytes(OneTensor), .. new byte[8]])[..length]]);

        Assert.Throws<ModelLoadException>(() => SafetensorsFile.Open(path));
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        var error = Assert.Throws<ModelLoadException>(() => SafetensorsFile.Open("nowhere.safetensors"));

        Assert.Equal("There is no file 'nowhere.safetensors'.", error.Message);
    }

    [Fact]
    public void Weights_without_a_known_format_are_refused_as_transformers_does()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var path = Path.Combine(folder.Path, "model.safetensors");
        SafetensorsFile.Write(path, new Dictionary<string, Tensor> { ["a"] = zeros(1) }, new Dictionary<string, string> { ["format"] = "np" });

        var error = Assert.Throws<ModelLoadException>(() => WeightSource.Open(folder.Path));

        Assert.Equal(
            $"'{path}' does not contain the valid metadata: its format is 'np', expected one of pt, tf, flax, mlx. Save it with the metadata {{\"format\": \"pt\"}}.",
            error.Message);
    }

    /// <summary>No header makes the reader fail in another way than by its own exception, or allocate what it declares.</summary>
    [Fact]
    [Trait("Category", "Slow")]
    public void A_hundred_thousand_damaged_headers_are_refused_without_harm()
    {
        const int Count = 100_000;
        const long MostBytesEach = 64 * 1024;
        var rng = new Rng(17);
        var sound = Encoding.UTF8.GetBytes(
            """{"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"I64","shape":[],"data_offsets":[24,32]}}  """);
        var refused = 0;

        for (var i = 0; i < Count; i++)
        {
            var header = Damaged(sound, rng);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                SafetensorsHeader.Read(header, 32, reason => new ModelLoadException(reason));
            }
            catch (ModelLoadException)
            {
                refused++;
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostBytesEach);
        }

        Assert.InRange(refused, Count / 2, Count);
    }

    private static byte[] Damaged(byte[] sound, Rng rng)
    {
        var bytes = sound.ToList();
        var changes = 1 + (int)(rng.NextUInt32() % 4);
        for (var i = 0; i < changes; i++)
        {
            var at = (int)(rng.NextUInt32() % (uint)bytes.Count);
            switch (rng.NextUInt32() % 5)
            {
                case 0:
                    bytes[at] = (byte)rng.NextUInt32();
                    break;
                case 1:
                    bytes.RemoveAt(at);
                    break;
                case 2:
                    bytes.Insert(at, (byte)('0' + rng.NextUInt32() % 10));
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(bytes.Count - at, (int)(rng.NextUInt32() % 64))));
                    break;
                default:
                    bytes.RemoveRange(at, Math.Min(bytes.Count - at - 1, (int)(rng.NextUInt32() % 32)));
                    break;
            }
        }

        return [.. bytes];
    }

    private static byte[] FileBytes(string header)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var length = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)text.Length);
        return [.. length, .. text];
    }
}
