using System.Buffers.Binary;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Vizsla.Hub.Cache;
using static TorchSharp.torch;

namespace Vizsla.Models.Weights;

/// <summary>Writes safetensors files with the bytes that Python's writer gives.</summary>
/// <remarks>Source: safetensors <c>tensor.rs</c>, <c>prepare</c>: types descending, then names ascending; the header padded with spaces to 8 bytes.</remarks>
internal static class SafetensorsWriter
{
    private const int Alignment = 8;
    private const int CopyBuffer = 1 << 20;

    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        metadata ??= new Dictionary<string, string> { ["format"] = "pt" };
        var entries = tensors.Select(t => (Name: t.Key, Value: t.Value, Type: SafetensorsType.FromTorch(t.Value.dtype))).ToList();
        entries.Sort((a, b) => a.Type.Rank != b.Type.Rank
            ? b.Type.Rank.CompareTo(a.Type.Rank)
            : Encoding.UTF8.GetBytes(a.Name).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b.Name)));
        var header = Header(entries.Select(e => (e.Name, e.Type.Name, e.Value)), metadata);

        AtomicFile.Write(
            path,
            stream =>
            {
                Span<byte> length = stackalloc byte[sizeof(ulong)];
                BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
                stream.Write(length);
                stream.Write(header);
                foreach (var (_, value, _) in entries)
                {
                    WriteData(stream, value);
                }
            },
            flush: true);
    }

    private static byte[] Header(IEnumerable<(string Name, string Type, Tensor Value)> entries, IReadOnlyDictionary<string, string> metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata)
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            var begin = 0L;
            foreach (var (name, type, value) in entries)
            {
                var end = begin + value.NumberOfElements * value.ElementSize;
                json.WriteStartObject(name);
                json.WriteString("dtype", type);
                WriteNumbers(json, "shape", value.shape);
                WriteNumbers(json, "data_offsets", begin, end);
                json.WriteEndObject();
                begin = end;
            }

            json.WriteEndObject();
        }

        while (buffer.Length % Alignment != 0)
        {
            buffer.WriteByte((byte)' ');
        }

        return buffer.ToArray();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, params ReadOnlySpan<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }

    private static void WriteData(Stream stream, Tensor value)
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var plain = value.detach().cpu().contiguous();
        if (plain.NumberOfElements > 0)
        {
            plain.WriteBytesToStream(stream, CopyBuffer);
        }
    }
}
