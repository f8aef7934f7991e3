using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Vizsla.Tests.Transforms;

/// <summary>The float and integer tensors of a recorded safetensors file.</summary>
internal sealed class RecordedTensors
{
    private readonly byte[] _bytes;
    private readonly JsonElement _header;
    private readonly int _dataAt;

    public RecordedTensors(string path)
    {
        _bytes = File.ReadAllBytes(path);
        var headerLength = (int)BinaryPrimitives.ReadInt64LittleEndian(_bytes);
        _header = JsonDocument.Parse(_bytes.AsMemory(8, headerLength)).RootElement;
        _dataAt = 8 + headerLength;
    }

    public IEnumerable<string> Names => _header.EnumerateObject().Select(entry => entry.Name).Where(name => name != "__metadata__");

    public int[] Shape(string name) => [.. _header.GetProperty(name).GetProperty("shape").EnumerateArray().Select(side => side.GetInt32())];

    public float[] Floats(string name) => MemoryMarshal.Cast<byte, float>(Data(name, "F32")).ToArray();

    public long[] Integers(string name) => MemoryMarshal.Cast<byte, long>(Data(name, "I64")).ToArray();

    private ReadOnlySpan<byte> Data(string name, string type)
    {
        var entry = _header.GetProperty(name);
        Assert.Equal(type, entry.GetProperty("dtype").GetString());
        var offsets = entry.GetProperty("data_offsets");
        return _bytes.AsSpan()[(_dataAt + offsets[0].GetInt32())..(_dataAt + offsets[1].GetInt32())];
    }
}
