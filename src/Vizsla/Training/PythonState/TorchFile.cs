using System.Globalization;
using System.IO.Hashing;
using System.Text;
using static TorchSharp.torch;

namespace Vizsla.Training.PythonState;

/// <summary>Writes files as <c>torch.save</c> does: a zip archive of a pickle and the bytes of its tensors.</summary>
/// <remarks>
/// Only what <c>torch.load(weights_only=True)</c> takes is written. Source: <c>torch.serialization._save</c>.
/// Parity: the same bytes but for <c>.data/serialization_id</c>, a hash that depends on the C++ library.
/// </remarks>
internal static class TorchFile
{
    /// <summary>Writes a file.</summary>
    /// <param name="path">Path; its name without extension becomes the archive's folder.</param>
    /// <param name="root">What to save; see <see cref="PickleWriter"/> for the types.</param>
    public static void Write(string path, object? root)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        Write(stream, Path.GetFileNameWithoutExtension(path), root);
        stream.Flush(flushToDisk: true);
    }

    /// <summary>Writes to a stream.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="folder">The archive's folder.</param>
    /// <param name="root">What to save.</param>
    public static void Write(Stream stream, string folder, object? root)
    {
        using var pickle = new MemoryStream();
        var writer = new PickleWriter(pickle);
        writer.Write(root);
        var zip = new StoredZipWriter(stream);
        var all = new Crc32();
        var names = new Crc32();
        Add("data.pkl", pickle.ToArray());
        Add(".format_version", "1"u8);
        Add(".storage_alignment", "64"u8);
        Add("byteorder", "little"u8);
        for (var i = 0; i < writer.Tensors.Count; i++)
        {
            Add(string.Create(CultureInfo.InvariantCulture, $"data/{i}"), Bytes(writer.Tensors[i]));
        }

        Add("version", "3\n"u8);
        Add(".data/serialization_id", Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"{names.GetCurrentHashAsUInt32():D20}{all.GetCurrentHashAsUInt32():D20}")));
        zip.Finish();

        void Add(string name, ReadOnlySpan<byte> content)
        {
            zip.Add($"{folder}/{name}", content);
            names.Append(Encoding.UTF8.GetBytes(name));
            all.Append(content);
        }
    }

    private static byte[] Bytes(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.detach().cpu().contiguous().bytes.ToArray();
    }
}
