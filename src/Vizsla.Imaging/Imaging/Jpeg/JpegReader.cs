namespace Vizsla.Imaging.Jpeg;

/// <summary>Walks the segments of a JPEG and keeps what they define: frame, tables, restart interval, scan. Reused from picture to picture.</summary>
/// <remarks>Source: libjpeg <c>jdmarker.c</c>; Pillow <c>JpegImagePlugin</c>.</remarks>
internal sealed class JpegReader
{
    /// <summary>The reason why a file that ends too early cannot be read.</summary>
    public const string CutShort = ImageFormatException.CutShort;

    private readonly ushort[][] _quantization = [new ushort[64], new ushort[64], new ushort[64], new ushort[64]];
    private readonly bool[] _quantizationDefined = new bool[4];
    private readonly HuffmanTable[] _dcTables = [new(), new(), new(), new()];
    private readonly HuffmanTable[] _acTables = [new(), new(), new(), new()];
    private readonly JpegComponent[] _scanned = new JpegComponent[4];
    private int _scannedCount;
    private int? _exifOrientation;
    private int? _xmpOrientation;

    /// <summary>Natural place of each coefficient in zigzag order; a run past the end stays on the last, as in libjpeg.</summary>
    public static ReadOnlySpan<byte> NaturalOrder =>
    [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
        35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
        63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
    ];

    /// <summary>What the frame header says.</summary>
    public JpegFrame Frame { get; } = new();

    /// <summary>Units between restarts; 0 for none.</summary>
    public int RestartInterval { get; private set; }

    /// <summary>EXIF orientation as stored; 1 where the file says nothing.</summary>
    public int Orientation => _exifOrientation ?? _xmpOrientation ?? 1;

    /// <summary>Pictures that a multi-picture file announces; 0 for a plain JPEG.</summary>
    public int PictureCount { get; private set; }

    /// <summary>Where in the file the reader stands.</summary>
    public int Position { get; set; }

    /// <summary>Channels of the current scan.</summary>
    public ReadOnlySpan<JpegComponent> Scanned => _scanned.AsSpan(0, _scannedCount);

    /// <summary>First and last coefficient of the current scan in zigzag order.</summary>
    public (int First, int Last) Band { get; private set; }

    /// <summary>Bit at which the scan before left off (0 for a first scan), and lowest bit of the current scan.</summary>
    public (int High, int Low) Bits { get; private set; }

    /// <summary>Whether bytes begin as a JPEG does.</summary>
    /// <param name="data">The bytes.</param>
    public static bool Accepts(ReadOnlySpan<byte> data) => data.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]);

    /// <summary>The Huffman table of a channel in the current scan, ready to use.</summary>
    /// <param name="number">Number of the table.</param>
    /// <param name="dc">Whether DC or AC.</param>
    /// <exception cref="ImageFormatException">The table is invalid.</exception>
    public HuffmanTable Table(int number, bool dc)
    {
        if (number > 3)
        {
            throw Damaged("an invalid Huffman table");
        }

        var table = (dc ? _dcTables : _acTables)[number];
        if (!table.IsDefined)
        {
            StandardTables.Define(table, dc, number);
        }

        table.Build(dc);
        return table;
    }

    /// <summary>Begins with a file.</summary>
    public void Reset()
    {
        Frame.Reset();
        Array.ForEach(_dcTables, static table => table.Forget());
        Array.ForEach(_acTables, static table => table.Forget());
        Array.Clear(_quantizationDefined);
        (Position, RestartInterval, PictureCount, _scannedCount) = (2, 0, 0, 0);
        (_exifOrientation, _xmpOrientation) = (null, null);
    }

    /// <summary>Reads segments up to the next scan and stands at its first coded byte.</summary>
    /// <param name="data">The file.</param>
    /// <returns>False where the picture ends instead.</returns>
    /// <exception cref="ImageFormatException">A segment is damaged, or the file ends first.</exception>
    public bool ReadToScan(ReadOnlySpan<byte> data)
    {
        while (true)
        {
            switch (NextMarker(data))
            {
                case 0xD9:
                    return false;
                case 0xDA:
                    DefineScan(Segment(data));
                    return true;
                case >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC) and var marker:
                    Frame.Define(marker, Segment(data));
                    break;
                case 0xC4:
                    DefineHuffman(Segment(data, isTable: true));
                    break;
                case 0xDB:
                    DefineQuantization(Segment(data, isTable: true));
                    break;
                case 0xDD:
                    var interval = Segment(data);
                    RestartInterval = interval.Length == 2 ? interval[0] << 8 | interval[1] : throw Damaged("a restart interval of a wrong length");
                    break;
                case 0xD8 or (>= 0xD0 and <= 0xD7) or 0x01:
                    break;
                case >= 0xC0 and var marker:
                    Note(marker, Segment(data));
                    break;
                case var marker:
                    throw Damaged($"an unknown marker {marker:X2}");
            }
        }
    }

    /// <summary>Reads what follows the only scan, where libjpeg finds damage too; a file may end there.</summary>
    /// <param name="data">The file.</param>
    /// <exception cref="ImageFormatException">A segment is damaged, or another scan follows.</exception>
    public void ReadToEnd(ReadOnlySpan<byte> data)
    {
        try
        {
            if (ReadToScan(data))
            {
                throw Damaged("too many scans");
            }
        }
        catch (ImageFormatException e) when (e.Reason == CutShort)
        {
            // The picture is whole; only its end marker is missing.
        }
    }

    /// <summary>Fixes the quantization of a channel at its first scan.</summary>
    /// <param name="component">A channel of the current scan.</param>
    public void Quantize(JpegComponent component)
    {
        if (component.IsQuantized)
        {
            return;
        }

        if (component.QuantizationTable > 3 || !_quantizationDefined[component.QuantizationTable])
        {
            throw Damaged("a quantization table is missing");
        }

        var table = _quantization[component.QuantizationTable];
        for (var i = 0; i < 64; i++)
        {
            component.Quantization[NaturalOrder[i]] = (short)table[i];
        }

        component.IsQuantized = true;
    }

    private static ImageFormatException Damaged(string what) => new($"it is damaged: a JPEG with {what}");

    private int NextMarker(ReadOnlySpan<byte> data)
    {
        while (Position < data.Length)
        {
            var at = data[Position..].IndexOf((byte)0xFF);
            if (at < 0)
            {
                break;
            }

            Position += at + 1;
            while (Position < data.Length && data[Position] == 0xFF)
            {
                Position++;
            }

            if (Position < data.Length && data[Position++] is not 0 and var marker)
            {
                return marker;
            }
        }

        throw new ImageFormatException(CutShort);
    }

    private ReadOnlySpan<byte> Segment(ReadOnlySpan<byte> data, bool isTable = false)
    {
        var length = Position + 2 <= data.Length ? data[Position] << 8 | data[Position + 1] : int.MaxValue;
        if (length > data.Length - Position)
        {
            throw new ImageFormatException(CutShort);
        }

        // A length below its own two bytes is an empty segment to libjpeg, and an error where there must be content.
        if (length < 2)
        {
            length = isTable ? throw Damaged($"a segment of length {length}") : 2;
        }

        var body = data.Slice(Position + 2, length - 2);
        Position += length;
        return body;
    }

    private void Note(int marker, ReadOnlySpan<byte> body)
    {
        switch (marker)
        {
            case 0xE0 when body.Length >= 14 && body.StartsWith("JFIF\0"u8):
                Frame.SawJfif();
                break;
            case 0xE1 when body.StartsWith("Exif\0\0"u8):
                _exifOrientation ??= ExifOrientation.FromExif(body);
                break;
            case 0xE1 when body.StartsWith("http://ns.adobe.com/xap/1.0/\0"u8):
                _xmpOrientation = ExifOrientation.FromXmp(body);
                break;
            case 0xE2 when body.StartsWith("MPF\0"u8):
                PictureCount = MultiPicture.Count(body[4..]);
                break;
            case 0xEE when body.Length >= 12 && body.StartsWith("Adobe"u8):
                Frame.SawAdobe(body[11]);
                break;
        }
    }

    private void DefineQuantization(ReadOnlySpan<byte> body)
    {
        while (body.Length > 0)
        {
            var (wide, number) = (body[0] >> 4 != 0, body[0] & 15);
            if (number > 3 || body.Length < 1 + (wide ? 128 : 64))
            {
                throw Damaged("a bad quantization table");
            }

            for (var i = 0; i < 64; i++)
            {
                _quantization[number][i] = wide ? (ushort)(body[1 + 2 * i] << 8 | body[2 + 2 * i]) : body[1 + i];
            }

            _quantizationDefined[number] = true;
            body = body[(1 + (wide ? 128 : 64))..];
        }
    }

    private void DefineHuffman(ReadOnlySpan<byte> body)
    {
        while (body.Length >= 17)
        {
            var count = 0;
            foreach (var codes in body.Slice(1, 16))
            {
                count += codes;
            }

            if (count > 256 || body.Length < 17 + count || (body[0] & 15) > 3 || body[0] >> 4 > 1)
            {
                throw Damaged("a bad Huffman table");
            }

            (body[0] >> 4 == 0 ? _dcTables : _acTables)[body[0] & 15].Define(body.Slice(1, 16), body.Slice(17, count));
            body = body[(17 + count)..];
        }

        if (body.Length > 0)
        {
            throw Damaged("a bad Huffman table");
        }
    }

    private void DefineScan(ReadOnlySpan<byte> body)
    {
        if (!Frame.IsKnown)
        {
            throw Damaged("a scan before its frame header");
        }

        if (body.Length < 4 || body[0] is < 1 or > 4 || body.Length != 4 + 2 * body[0])
        {
            throw Damaged("a scan header of a wrong length");
        }

        _scannedCount = body[0];
        for (var i = 0; i < _scannedCount; i++)
        {
            var (id, tables) = (body[1 + 2 * i], body[2 + 2 * i]);
            _scanned[i] = null!;
            foreach (var component in Frame.Components)
            {
                if (component.Id == id && !_scanned.AsSpan(0, i).Contains(component))
                {
                    _scanned[i] = component;
                    break;
                }
            }

            if (_scanned[i] is null)
            {
                throw Damaged("a scan of a channel that does not exist");
            }

            (_scanned[i].DcTable, _scanned[i].AcTable) = (tables >> 4, tables & 15);
        }

        var rest = body[(1 + 2 * _scannedCount)..];
        Band = (rest[0], rest[1]);
        Bits = (rest[2] >> 4, rest[2] & 15);
    }
}
