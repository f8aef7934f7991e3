using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Vizsla.Imaging.Jpeg;

/// <summary>Decodes the scan at which a reader stands, row of units by row, over restarts.</summary>
/// <param name="reader">The file's segments.</param>
internal sealed unsafe class ScanDecoder(JpegReader reader)
{
    private const int MostBlocks = 10;

    private readonly EntropySource _source = new();
    private readonly UnitBlock[] _blocks = GC.AllocateArray<UnitBlock>(MostBlocks, pinned: true);
    private readonly nint[] _starts = new nint[MostBlocks];
    private readonly int[] _predictions = GC.AllocateArray<int>(4, pinned: true);
    private ProgressiveScan _progressive;
    private int _blockCount;
    private int _unitsAcross;
    private int _unitsToRestart;
    private int _nextRestart;

    /// <summary>Rows of units in the scan.</summary>
    public int Rows { get; private set; }

    /// <summary>Bytes held for the next picture.</summary>
    public long Size => _source.Size;

    private static byte* Order => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(JpegReader.NaturalOrder));

    private UnitBlock* Blocks => (UnitBlock*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_blocks));

    private int* Predictions => (int*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_predictions));

    /// <summary>Begins with the scan.</summary>
    /// <param name="data">The file.</param>
    /// <param name="length">Its length.</param>
    /// <exception cref="ImageFormatException">The scan or its tables are invalid.</exception>
    public void Begin(byte* data, int length)
    {
        var components = reader.Scanned;
        var interleaved = components.Length > 1;
        var tables = (Dc: true, Ac: true);
        if (reader.Frame.IsProgressive)
        {
            _progressive = new ProgressiveScan(reader, Order);
            tables = _progressive.Tables;
        }

        _blockCount = 0;
        for (var i = 0; i < components.Length; i++)
        {
            var component = components[i];
            reader.Quantize(component);
            var blocks = interleaved ? component.Across * component.Down : 1;
            if (_blockCount + blocks > MostBlocks)
            {
                throw new ImageFormatException("it is damaged: a JPEG whose units are too large");
            }

            var block = new UnitBlock
            {
                Dc = tables.Dc ? reader.Table(component.DcTable, dc: true).Pointer : null,
                Ac = tables.Ac ? reader.Table(component.AcTable, dc: false).Pointer : null,
                Step = 64 * (interleaved ? component.Across : 1),
                Channel = i,
            };
            _blocks.AsSpan(_blockCount, blocks).Fill(block);
            _blockCount += blocks;
        }

        (_unitsAcross, Rows) = interleaved
            ? (reader.Frame.UnitsAcross, reader.Frame.UnitsDown)
            : (components[0].BlocksAcross, components[0].BlocksDown);
        (_unitsToRestart, _nextRestart) = (reader.RestartInterval, 0);
        Array.Clear(_predictions);
        _source.Begin(data, length, reader.Position);
    }

    /// <summary>Decodes a row of units into the coefficients of the components.</summary>
    /// <param name="row">Number of the row.</param>
    /// <param name="wholePicture">Whether the components hold the coefficients of the whole picture, or of one row of units.</param>
    /// <exception cref="ImageFormatException">The file ends first.</exception>
    public void DecodeRow(int row, bool wholePicture)
    {
        FindRow(wholePicture ? row : 0);
        var restarts = reader.RestartInterval > 0;
        for (var done = 0; done < _unitsAcross;)
        {
            if (restarts && _unitsToRestart == 0)
            {
                _source.Restart(_nextRestart);
                _nextRestart = (_nextRestart + 1) & 7;
                _unitsToRestart = reader.RestartInterval;
                Array.Clear(_predictions);
                _progressive.Restart();
            }

            var units = restarts ? Math.Min(_unitsAcross - done, _unitsToRestart) : _unitsAcross - done;
            if (!_source.IsExhausted)
            {
                Decode(done, units);
            }

            done += units;
            _unitsToRestart -= units;
        }
    }

    /// <summary>Ends the scan; the reader goes on behind it.</summary>
    /// <exception cref="ImageFormatException">The file ends before the scan does.</exception>
    public void Finish()
    {
        if (_source.IsCutShort)
        {
            throw new ImageFormatException(JpegReader.CutShort);
        }

        reader.Position = _source.Position;
    }

    private void FindRow(int row)
    {
        var components = reader.Scanned;
        var interleaved = components.Length > 1;
        var number = 0;
        foreach (var component in components)
        {
            var (across, down) = interleaved ? (component.Across, component.Down) : (1, 1);
            for (var y = 0; y < down; y++)
            {
                for (var x = 0; x < across; x++)
                {
                    _starts[number++] = (nint)(component.Coefficients + 64 * (((long)row * down + y) * component.PaddedAcross + x));
                }
            }
        }
    }

    private void Decode(int firstUnit, int units)
    {
        for (var i = 0; i < _blockCount; i++)
        {
            _blocks[i].Coefficients = (short*)_starts[i] + (long)firstUnit * _blocks[i].Step;
        }

        if (reader.Frame.IsProgressive)
        {
            _progressive.Decode(_source, Blocks, _blockCount, units, Predictions);
        }
        else
        {
            SequentialScan.Decode(_source, Blocks, _blockCount, units, Predictions, Order);
        }

        if (_source is { IsExhausted: true, Marker: 0 })
        {
            throw new ImageFormatException(JpegReader.CutShort);
        }
    }
}
