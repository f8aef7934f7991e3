using System.Text;

namespace Vizsla.Datasets.Storage;

/// <summary>Cell values as bytes and back.</summary>
internal static class CellCodec
{
    private enum Kind : byte
    {
        Null,
        Integer,
        Number,
        Flag,
        Text,
        Bytes,
        Picture,
        List,
        Fields,
        Time,
    }

    public static void Write(BinaryWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.Write((byte)Kind.Null);
                break;
            case long integer:
                writer.Write((byte)Kind.Integer);
                writer.Write(integer);
                break;
            case double number:
                writer.Write((byte)Kind.Number);
                writer.Write(number);
                break;
            case bool flag:
                writer.Write((byte)Kind.Flag);
                writer.Write(flag);
                break;
            case string text:
                writer.Write((byte)Kind.Text);
                writer.Write(text);
                break;
            case byte[] bytes:
                writer.Write((byte)Kind.Bytes);
                WriteBytes(writer, bytes);
                break;
            case ImageSource source:
                writer.Write((byte)Kind.Picture);
                Write(writer, source.Path);
                writer.Write(source.Bytes is not null);
                WriteBytes(writer, source.Bytes is { } content ? content.Span : default);
                break;
            case IReadOnlyDictionary<string, object?> fields:
                writer.Write((byte)Kind.Fields);
                writer.Write(fields.Count);
                foreach (var (name, field) in fields)
                {
                    writer.Write(name);
                    Write(writer, field);
                }

                break;
            case IReadOnlyList<object?> items:
                writer.Write((byte)Kind.List);
                writer.Write(items.Count);
                foreach (var item in items)
                {
                    Write(writer, item);
                }

                break;
            case DateTimeOffset time:
                writer.Write((byte)Kind.Time);
                writer.Write(time.UtcTicks);
                break;
            default:
                throw new DatasetException($"A value of type {value.GetType().Name} cannot be stored.");
        }
    }

    public static object? Read(BinaryReader reader)
    {
        switch ((Kind)reader.ReadByte())
        {
            case Kind.Integer:
                return reader.ReadInt64();
            case Kind.Number:
                return reader.ReadDouble();
            case Kind.Flag:
                return reader.ReadBoolean();
            case Kind.Text:
                return reader.ReadString();
            case Kind.Bytes:
                return reader.ReadBytes(reader.ReadInt32());
            case Kind.Picture:
                var path = Read(reader) as string;
                var hasBytes = reader.ReadBoolean();
                var bytes = reader.ReadBytes(reader.ReadInt32());
                return new ImageSource(path, hasBytes ? new ReadOnlyMemory<byte>(bytes) : default(ReadOnlyMemory<byte>?));
            case Kind.List:
                return Enumerable.Range(0, reader.ReadInt32()).Select(_ => Read(reader)).ToList();
            case Kind.Fields:
                return Enumerable.Range(0, reader.ReadInt32()).Select(_ => KeyValuePair.Create(reader.ReadString(), Read(reader))).ToDictionary(StringComparer.Ordinal);
            case Kind.Time:
                return new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
            default:
                return null;
        }
    }

    /// <summary>UTF-8 writer over a stream that stays open.</summary>
    public static BinaryWriter Writer(Stream stream) => new(stream, Encoding.UTF8, leaveOpen: true);

    private static void WriteBytes(BinaryWriter writer, ReadOnlySpan<byte> bytes)
    {
        writer.Write(bytes.Length);
        writer.Write(bytes);
    }
}
