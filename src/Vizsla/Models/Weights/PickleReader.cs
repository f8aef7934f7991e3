using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Vizsla.Models.Weights;

/// <summary>A pickle machine that runs nothing: calls are matched against the few that make tensors, everything else is refused or kept as a description.</summary>
/// <remarks>
/// Values are null, <see cref="bool"/>, <see cref="long"/>, <see cref="BigInteger"/>, <see cref="double"/>, <see cref="string"/>, byte arrays,
/// <see cref="List{T}"/> for lists, arrays for tuples, <see cref="Dictionary{TKey, TValue}"/> for dictionaries, and what <see cref="PickleCalls"/> makes.
/// Source: Python <c>pickletools</c>.
/// </remarks>
internal sealed class PickleReader(Stream stream, PickleCalls calls)
{
    private const int MostValues = 20_000_000;

    private static readonly object _mark = new();
    private readonly List<object?> _stack = [];
    private readonly Dictionary<long, object?> _memo = [];

    /// <summary>Reads one pickle and leaves the stream behind its last byte.</summary>
    public object? Read()
    {
        while (true)
        {
            var code = NextByte();
            if (code == '.')
            {
                return Pop();
            }

            Step(code);
            if (_stack.Count > MostValues || _memo.Count > MostValues)
            {
                throw calls.Refuse($"it holds more than {MostValues} values");
            }
        }
    }

    private void Step(byte code)
    {
        switch (code)
        {
            case 0x80: // PROTO
                NextByte();
                break;
            case 0x95: // FRAME
                NextBytes(sizeof(ulong));
                break;
            case (byte)'(':
                _stack.Add(_mark);
                break;
            case (byte)'0':
                Pop();
                break;
            case (byte)'N':
                _stack.Add(null);
                break;
            case 0x88 or 0x89: // NEWTRUE, NEWFALSE
                _stack.Add(code == 0x88);
                break;
            case (byte)'}':
                _stack.Add(new Dictionary<object, object?>());
                break;
            case (byte)']':
                _stack.Add(new List<object?>());
                break;
            case (byte)')':
                _stack.Add(Array.Empty<object?>());
                break;
            case (byte)'t':
                _stack.Add(PopToMark());
                break;
            case 0x85 or 0x86 or 0x87: // TUPLE1, TUPLE2, TUPLE3
                _stack.Add(PopMany(code - 0x84));
                break;
            default:
                StepValue(code);
                break;
        }
    }

    private void StepValue(byte code)
    {
        switch (code)
        {
            case (byte)'J':
                _stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(NextBytes(4)));
                break;
            case (byte)'K':
                _stack.Add((long)NextByte());
                break;
            case (byte)'M':
                _stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(NextBytes(2)));
                break;
            case 0x8A: // LONG1
                PushWhole(new BigInteger(NextBytes(NextByte())));
                break;
            case (byte)'G':
                _stack.Add(BinaryPrimitives.ReadDoubleBigEndian(NextBytes(8)));
                break;
            case (byte)'X':
                _stack.Add(NextText(BinaryPrimitives.ReadUInt32LittleEndian(NextBytes(4))));
                break;
            case 0x8C: // SHORT_BINUNICODE
                _stack.Add(NextText(NextByte()));
                break;
            case (byte)'C': // SHORT_BINBYTES
                _stack.Add(NextBytes(NextByte()));
                break;
            case (byte)'B': // BINBYTES
                _stack.Add(NextBytes(BinaryPrimitives.ReadUInt32LittleEndian(NextBytes(4))));
                break;
            default:
                StepStructure(code);
                break;
        }
    }

    private void StepStructure(byte code)
    {
        switch (code)
        {
            case (byte)'h':
                _stack.Add(Recall(NextByte()));
                break;
            case (byte)'j':
                _stack.Add(Recall(BinaryPrimitives.ReadUInt32LittleEndian(NextBytes(4))));
                break;
            case (byte)'q':
                _memo[NextByte()] = Peek();
                break;
            case (byte)'r':
                _memo[BinaryPrimitives.ReadUInt32LittleEndian(NextBytes(4))] = Peek();
                break;
            case 0x94: // MEMOIZE
                _memo[_memo.Count] = Peek();
                break;
            case (byte)'a':
                Append([Pop()]);
                break;
            case (byte)'e':
                Append(PopToMark());
                break;
            case (byte)'s':
                SetItems(PopMany(2));
                break;
            case (byte)'u':
                SetItems(PopToMark());
                break;
            case (byte)'c':
                _stack.Add(calls.Global(NextLine() + "." + NextLine()));
                break;
            case 0x93: // STACK_GLOBAL
                _stack.Add(PopMany(2) is [string module, string name] ? calls.Global(module + "." + name) : throw calls.Refuse("a global has no name"));
                break;
            case (byte)'Q':
                _stack.Add(calls.Persistent(Pop()));
                break;
            case (byte)'R':
                _stack.Add(PopMany(2) is [PickleGlobal function, object?[] arguments]
                    ? calls.Call(function, arguments)
                    : throw calls.Refuse("a call has no function and arguments"));
                break;
            case (byte)'b':
                var state = Pop();
                calls.Build(Peek(), state);
                break;
            default:
                throw calls.Refuse(string.Create(CultureInfo.InvariantCulture, $"it uses the pickle operation 0x{code:X2}, which no weights need"));
        }
    }

    private void Append(object?[] values)
    {
        if (Peek() is not List<object?> list)
        {
            throw calls.Refuse("it appends to something that is not a list");
        }

        list.AddRange(values);
    }

    private void SetItems(object?[] pairs)
    {
        if (Peek() is not Dictionary<object, object?> map || pairs.Length % 2 != 0)
        {
            throw calls.Refuse("it sets items of something that is not a dictionary");
        }

        for (var i = 0; i < pairs.Length; i += 2)
        {
            map[pairs[i] is string or long or double or bool ? pairs[i]! : throw calls.Refuse("a key is neither a text nor a number")] = pairs[i + 1];
        }
    }

    private object? Recall(long index) =>
        _memo.TryGetValue(index, out var value) ? value : throw calls.Refuse("it recalls a value that was never stored");

    private object? Peek() => _stack.Count > 0 && _stack[^1] != _mark ? _stack[^1] : throw calls.Refuse("it takes a value from an empty stack");

    private object? Pop()
    {
        var value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private object?[] PopMany(int count)
    {
        var values = new object?[count];
        for (var i = count - 1; i >= 0; i--)
        {
            values[i] = Pop();
        }

        return values;
    }

    private object?[] PopToMark()
    {
        var mark = _stack.LastIndexOf(_mark);
        if (mark < 0)
        {
            throw calls.Refuse("it lacks a mark");
        }

        var values = _stack.GetRange(mark + 1, _stack.Count - mark - 1).ToArray();
        _stack.RemoveRange(mark, _stack.Count - mark);
        return values;
    }

    private void PushWhole(BigInteger value)
    {
        if (value >= long.MinValue && value <= long.MaxValue)
        {
            _stack.Add((long)value);
        }
        else
        {
            _stack.Add(value);
        }
    }

    private string NextText(uint length)
    {
        try
        {
            return _utf8.GetString(NextBytes(length));
        }
        catch (DecoderFallbackException)
        {
            throw calls.Refuse("a text is not UTF-8");
        }
    }

    private static readonly UTF8Encoding _utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private string NextLine()
    {
        const int MostCharacters = 256;
        var text = new StringBuilder();
        for (var c = NextByte(); c != '\n'; c = NextByte())
        {
            text.Append(text.Length < MostCharacters ? (char)c : throw calls.Refuse("a name is too long"));
        }

        return text.ToString();
    }

    private byte NextByte()
    {
        var value = stream.ReadByte();
        return value >= 0 ? (byte)value : throw calls.Refuse("it ends in the middle of a pickle");
    }

    private byte[] NextBytes(uint length)
    {
        if (length > stream.Length - stream.Position)
        {
            throw calls.Refuse("it ends in the middle of a pickle");
        }

        var bytes = new byte[length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
