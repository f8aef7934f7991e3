namespace Vizsla.Imaging.Jpeg;

/// <summary>Cuts the coded data of a scan into the runs between its markers.</summary>
/// <remarks>Source: libjpeg <c>jdhuff.c</c>, <c>jdmarker.c</c> (<c>jpeg_resync_to_restart</c>). Parity: exact.</remarks>
internal sealed unsafe class EntropySource
{
    // What the largest unit (10 blocks of 64 codes of 32 bits) can draw beyond the end before anybody looks.
    private const int Padding = 10 * 64 * 4 + 16;

    private readonly Scratch<byte> _bytes = new();
    private byte* _data;
    private int _length;
    private int _position;

    /// <summary>The bits of the current run.</summary>
    public BitStream Stream;

    /// <summary>The marker that ends the current run; 0 where the file ends.</summary>
    public int Marker { get; private set; }

    /// <summary>Whether the run gave less than was asked for, so that the units up to the next restart stay empty.</summary>
    public bool IsExhausted { get; set; }

    /// <summary>Where the reader goes on after the scan: at the marker behind it.</summary>
    public int Position => Marker == 0 ? _length : _position - 2;

    /// <summary>Whether the file ends with the run, and the scan has taken all of it but a few bytes that a whole file would not end with.</summary>
    public bool IsCutShort => Marker == 0 && Stream.Next + 8 - (Stream.Count >> 3) > Stream.End;

    /// <summary>Bytes held for the next picture.</summary>
    public long Size => _bytes.Size;

    /// <summary>Begins with a scan.</summary>
    /// <param name="data">The file.</param>
    /// <param name="length">Its length.</param>
    /// <param name="position">First coded byte.</param>
    public void Begin(byte* data, int length, int position)
    {
        _data = data;
        (_length, _position) = (length, position);
        ReadRun();
    }

    /// <summary>Continues after a restart marker.</summary>
    /// <param name="number">The number that it should have, 0 to 7.</param>
    /// <exception cref="ImageFormatException">The file ends first.</exception>
    public void Restart(int number)
    {
        while (true)
        {
            if (Marker == 0)
            {
                throw new ImageFormatException(JpegReader.CutShort);
            }

            var ahead = Marker is >= 0xD0 and <= 0xD7 ? (Marker - number) & 7 : -1;
            if (Marker < 0xC0 || ahead is 6 or 7)
            {
                // Damage, or a restart that was due before: on to the next marker.
                ReadRun();
            }
            else if (ahead is -1 or 1 or 2)
            {
                // Some data were lost: this run is empty.
                Stream = new BitStream { Next = Stream.End, End = Stream.End };
                return;
            }
            else
            {
                ReadRun();
                return;
            }
        }
    }

    private void ReadRun()
    {
        var to = _bytes.Take(_length - _position + Padding);
        var start = to;
        Marker = 0;
        while (true)
        {
            var rest = new ReadOnlySpan<byte>(_data + _position, _length - _position);
            var count = rest.IndexOf((byte)0xFF);
            if (count < 0)
            {
                rest.CopyTo(new Span<byte>(to, rest.Length));
                to += rest.Length;
                _position = _length;
                break;
            }

            rest[..count].CopyTo(new Span<byte>(to, count));
            to += count;
            _position += count + 1;
            while (_position < _length && _data[_position] == 0xFF)
            {
                _position++;
            }

            if (_position == _length)
            {
                break;
            }

            Marker = _data[_position++];
            if (Marker != 0)
            {
                break;
            }

            *to++ = 0xFF;
        }

        new Span<byte>(to, Padding).Clear();
        Stream = new BitStream { Next = start, End = to };
        IsExhausted = false;
    }
}
