namespace Vizsla.Imaging.Tiff;

/// <summary>From the stored samples of a TIFF to RGB.</summary>
/// <remarks>Source: Pillow's modes of TIFF and <c>convert("RGB")</c>. Parity: exact.</remarks>
internal sealed class TiffPixels
{
    private readonly TiffHeader _header;
    private readonly Image _image;
    private readonly byte[] _palette;
    private readonly byte[]? _planes;

    /// <summary>Prepares for the pieces of a picture.</summary>
    /// <param name="header">The header.</param>
    /// <param name="image">The picture to fill.</param>
    public TiffPixels(TiffHeader header, Image image)
    {
        (_header, _image) = (header, image);
        _palette = header.Directory.Numbers(320).Select(value => (byte)(value / 256)).ToArray();
        if (header.Photometric == 3 && _palette.Length < 3 << header.Bits)
        {
            throw new ImageFormatException("it is damaged: a TIFF without all of its palette");
        }

        if (header.IsPlanar && header.Samples > 1)
        {
            _planes = new byte[(long)image.Width * image.Height * header.Samples];
        }
    }

    /// <summary>Puts the rows of a piece at their place.</summary>
    /// <param name="rows">The stored rows.</param>
    /// <param name="rowLength">Bytes of a row.</param>
    /// <param name="left">Left edge in the picture.</param>
    /// <param name="top">Top edge in the picture.</param>
    /// <param name="height">Rows of the piece.</param>
    /// <param name="plane">Number of the sample where each lies in pieces of its own.</param>
    /// <param name="samples">Samples of a pixel in the piece.</param>
    public void Place(ReadOnlySpan<byte> rows, int rowLength, int left, int top, int height, int plane, int samples)
    {
        var width = (int)Math.Min(_header.PieceWidth, _image.Width - left);
        Span<byte> pixel = stackalloc byte[8];
        for (var y = 0; y < Math.Min(height, _image.Height - top); y++)
        {
            var row = rows.Slice(y * rowLength, rowLength);
            var target = _image.Row(top + y)[(3 * left)..];
            for (var x = 0; x < width; x++)
            {
                for (var i = 0; i < Math.Min(samples, pixel.Length); i++)
                {
                    pixel[i] = Sample(row, x * samples + i);
                }

                if (_planes is not null)
                {
                    // A pixel is whole with its last plane.
                    var stored = _planes.AsSpan(((top + y) * _image.Width + left + x) * _header.Samples, _header.Samples);
                    stored[plane] = pixel[0];
                    if (plane == _header.Samples - 1)
                    {
                        Convert(stored, target.Slice(3 * x, 3));
                    }
                }
                else
                {
                    Convert(pixel, target.Slice(3 * x, 3));
                }
            }
        }
    }

    // 8 bits of a sample: of 16 the upper ones, but gray is cut off at 255.
    private byte Sample(ReadOnlySpan<byte> row, int index)
    {
        switch (_header.Bits)
        {
            case 8:
                return row[index];
            case 16:
                var (high, low) = _header.Directory.IsLittleEndian ? (row[2 * index + 1], row[2 * index]) : (row[2 * index], row[2 * index + 1]);
                return _header.Mode != "I;16" ? high : high == 0 ? low : byte.MaxValue;
            default:
                var bit = index * _header.Bits;
                var value = row[bit / 8] >> (8 - _header.Bits - bit % 8) & ((1 << _header.Bits) - 1);
                return (byte)(_header.Photometric == 3 ? value : value * (255 / ((1 << _header.Bits) - 1)));
        }
    }

    private void Convert(ReadOnlySpan<byte> pixel, Span<byte> rgb)
    {
        switch (_header.Photometric)
        {
            case 0:
                rgb.Fill(_header.Bits == 16 ? pixel[0] : (byte)(255 - pixel[0]));
                break;
            case 1:
                rgb.Fill(pixel[0]);
                break;
            case 3:
                var size = 1 << _header.Bits;
                (rgb[0], rgb[1], rgb[2]) = (_palette[pixel[0]], _palette[size + pixel[0]], _palette[2 * size + pixel[0]]);
                break;
            case 5:
                for (var i = 0; i < 3; i++)
                {
                    // An ink takes its part of what black leaves.
                    var light = 255 - pixel[3];
                    var taken = pixel[i] * light + 128;
                    rgb[i] = (byte)Math.Max(light - ((taken + (taken >> 8)) >> 8), 0);
                }

                break;
            default:
                for (var i = 0; i < 3; i++)
                {
                    rgb[i] = !_header.IsPremultiplied || pixel[3] == 255 ? pixel[i] : pixel[3] == 0 ? (byte)0 : (byte)Math.Min(255 * pixel[i] / pixel[3], 255);
                }

                break;
        }
    }
}
