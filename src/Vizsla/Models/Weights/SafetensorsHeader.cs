using System.Text;
using System.Text.Json;

namespace Vizsla.Models.Weights;

/// <summary>Reads the JSON header of a safetensors file without ever believing a size that it declares.</summary>
/// <remarks>Source: safetensors <c>tensor.rs</c>, <c>Metadata::validate</c>; the same files are refused.</remarks>
internal static class SafetensorsHeader
{
    /// <summary>The most bytes a header may have.</summary>
    public const long MostBytes = 100_000_000;

    private const int DeepestLevel = 4;
    private const int MostAxes = 64;

    /// <summary>Parses a header and checks it against the bytes that follow it.</summary>
    /// <param name="json">The header's bytes, padding included.</param>
    /// <param name="dataLength">Bytes of the data block.</param>
    /// <param name="refuse">Makes the exception for a reason.</param>
    public static (IReadOnlyDictionary<string, string>? Metadata, List<SafetensorsEntry> Tensors) Read(
        ReadOnlySpan<byte> json, long dataLength, Func<string, Exception> refuse)
    {
        if (json.IsEmpty || json[0] != '{')
        {
            throw refuse("its header does not begin with '{'");
        }

        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = DeepestLevel });
            var (metadata, tensors) = ReadEntries(ref reader, refuse);
            CheckLayout(tensors, dataLength, refuse);
            return (metadata, tensors);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or DecoderFallbackException)
        {
            throw refuse($"its header is not JSON of the format ({e.Message})");
        }
    }

    private static (Dictionary<string, string>? Metadata, List<SafetensorsEntry> Tensors) ReadEntries(
        ref Utf8JsonReader reader, Func<string, Exception> refuse)
    {
        Dictionary<string, string>? metadata = null;
        var tensors = new List<SafetensorsEntry>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (!names.Add(name))
            {
                throw refuse($"its header names '{name}' twice");
            }

            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw refuse($"its header gives no object for '{name}'");
            }

            if (name == "__metadata__")
            {
                metadata = ReadMetadata(ref reader, refuse);
            }
            else
            {
                tensors.Add(ReadEntry(ref reader, name, refuse));
            }
        }

        while (reader.Read())
        {
            // Reads on to the end, so that anything but padding there is an error.
        }

        return (metadata, tensors);
    }

    private static Dictionary<string, string> ReadMetadata(ref Utf8JsonReader reader, Func<string, Exception> refuse)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            metadata[key] = reader.TokenType == JsonTokenType.String
                ? reader.GetString()!
                : throw refuse($"the value of '{key}' in __metadata__ is not a text");
        }

        return metadata;
    }

    private static SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name, Func<string, Exception> refuse)
    {
        string? type = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString();
            reader.Read();
            switch (key)
            {
                case "dtype":
                    type = reader.GetString();
                    break;
                case "shape":
                    shape = ReadNumbers(ref reader, name, refuse);
                    break;
                case "data_offsets":
                    offsets = ReadNumbers(ref reader, name, refuse);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        if (type is null || shape is null || offsets is not [var begin, var end])
        {
            throw refuse($"the entry of '{name}' lacks a dtype, a shape or two data_offsets");
        }

        var bits = SafetensorsType.Bits(type) ?? throw refuse($"'{name}' has the unknown dtype '{type}'");
        if (ByteCount(shape, bits) is not { } bytes || bytes != end - begin)
        {
            throw refuse($"'{name}' of type {type} and shape [{string.Join(", ", shape)}] does not fit the data_offsets {begin} to {end}");
        }

        return new SafetensorsEntry(name, type, shape, begin, end);
    }

    private static List<long> ReadNumbers(ref Utf8JsonReader reader, string name, Func<string, Exception> refuse)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw refuse($"the entry of '{name}' holds something else where a list of numbers belongs");
        }

        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (numbers.Count == MostAxes || reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
            {
                throw refuse($"the entry of '{name}' holds something else where a list of at most {MostAxes} whole numbers from 0 belongs");
            }

            numbers.Add(number);
        }

        return numbers;
    }

    /// <summary>Bytes of a tensor, or null where the product does not fit 64 bits or is no whole number of bytes.</summary>
    private static long? ByteCount(List<long> shape, int bits)
    {
        var product = (UInt128)(uint)bits;
        foreach (var side in shape)
        {
            product *= (ulong)side;
            if (product > long.MaxValue)
            {
                return null;
            }
        }

        return product % 8 == 0 ? (long)(product / 8) : null;
    }

    private static void CheckLayout(List<SafetensorsEntry> tensors, long dataLength, Func<string, Exception> refuse)
    {
        tensors.Sort((a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)));
        var expected = 0L;
        foreach (var tensor in tensors)
        {
            if (tensor.Begin != expected)
            {
                throw refuse($"the bytes of '{tensor.Name}' begin at {tensor.Begin}, expected {expected}: tensors may neither overlap nor leave a gap");
            }

            expected = tensor.End;
        }

        if (expected != dataLength)
        {
            throw refuse($"its header describes {expected} bytes of data, but {dataLength} follow; it was cut or is damaged");
        }
    }
}
