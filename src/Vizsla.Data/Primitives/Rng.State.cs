using System.Buffers.Binary;

namespace Vizsla.Primitives;

/// <content>The state in torch's layout.</content>
public sealed partial class Rng
{
    /// <summary>Bytes of a saved state.</summary>
    public const int StateSize = 5056;

    // torch's CPUGeneratorImplState: seed u64, left i32, seeded i32, next u64, 624 words as u64, normal x, y, rho f64, valid i32 (padded), float sample f32, valid u8 (padded).
    private const int LeftAt = 8;
    private const int SeededAt = 12;
    private const int NextAt = 16;
    private const int WordsAt = 24;
    private const int NormalAt = WordsAt + (8 * StateLength) + 8;
    private const int NormalValidAt = NormalAt + 16;
    private const int SingleAt = NormalValidAt + 8;
    private const int SingleValidAt = SingleAt + 4;

    /// <summary>The state as <c>torch.get_rng_state()</c> gives it.</summary>
    /// <returns><see cref="StateSize"/> bytes.</returns>
    public byte[] GetState()
    {
        var bytes = new byte[StateSize];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, _seed);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(LeftAt), _left);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(SeededAt), 1);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(NextAt), _next);
        for (var i = 0; i < StateLength; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(WordsAt + (8 * i)), _state[i]);
        }

        if (_keptDouble is { } kept)
        {
            BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(NormalAt), kept);
            bytes[NormalValidAt] = 1;
        }

        if (_keptSingle is { } keptSingle)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(SingleAt), keptSingle);
            bytes[SingleValidAt] = 1;
        }

        return bytes;
    }

    /// <summary>Goes on from a state of <see cref="GetState"/> or of <c>torch.get_rng_state()</c>.</summary>
    /// <param name="state"><see cref="StateSize"/> bytes.</param>
    /// <exception cref="ArgumentException">The bytes are no generator's state.</exception>
    public void SetState(ReadOnlySpan<byte> state)
    {
        if (state.Length != StateSize)
        {
            throw new ArgumentException($"A generator's state has {StateSize} bytes, got {state.Length}.", nameof(state));
        }

        var left = BinaryPrimitives.ReadInt32LittleEndian(state[LeftAt..]);
        var next = BinaryPrimitives.ReadInt32LittleEndian(state[NextAt..]);
        if (left is < 1 or > StateLength || next is < 0 or > StateLength)
        {
            throw new ArgumentException($"A generator's state has 1 to {StateLength} draws left, got {left} left and {next} next; the bytes are something else.", nameof(state));
        }

        _seed = BinaryPrimitives.ReadUInt64LittleEndian(state);
        (_left, _next) = (left, next);
        for (var i = 0; i < StateLength; i++)
        {
            _state[i] = BinaryPrimitives.ReadUInt32LittleEndian(state[(WordsAt + (8 * i))..]);
        }

        _keptDouble = state[NormalValidAt] != 0 ? BinaryPrimitives.ReadDoubleLittleEndian(state[NormalAt..]) : null;
        _keptSingle = state[SingleValidAt] != 0 ? BinaryPrimitives.ReadSingleLittleEndian(state[SingleAt..]) : null;
    }
}
