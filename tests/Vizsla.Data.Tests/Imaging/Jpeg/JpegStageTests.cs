using Vizsla.Imaging.Jpeg;
using Vizsla.Primitives;

namespace Vizsla.Tests.Imaging.Jpeg;

/// <summary>Each stage with vector instructions gives what the plain formula gives.</summary>
public sealed unsafe class JpegStageTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Transforms_blocks_as_the_plain_method_does(int blocks)
    {
        var rng = new Rng(3);
        var coefficients = stackalloc short[64 * 6];
        var steps = stackalloc short[64];
        var fast = stackalloc byte[48 * 8];
        var plain = stackalloc byte[48 * 8];
        for (var round = 0; round < 300; round++)
        {
            for (var i = 0; i < 64; i++)
            {
                steps[i] = (short)(1 + rng.NextUInt32() % (round % 3 == 0 ? 4000u : 40u));
            }

            new Span<short>(coefficients, 64 * 6).Clear();
            for (var i = 0; i < 64 * blocks; i++)
            {
                // Blocks of one row, sparse ones and full ones, sane and wild.
                var kept = (round % 4) switch { 0 => i % 64 < 8, 1 => i % 64 == 0, 2 => rng.NextUInt32() % 8 == 0, _ => true };
                coefficients[i] = kept ? (short)(rng.NextUInt32() % (round % 5 == 0 ? 65536u : 60u) - 30) : (short)0;
            }

            InverseDct.Transform(coefficients, blocks, steps, fast, 48);
            for (var block = 0; block < blocks; block++)
            {
                InverseDct.TransformOne(coefficients + 64 * block, steps, plain + 8 * block, 48);
            }

            for (var y = 0; y < 8; y++)
            {
                Assert.Equal(new Span<byte>(plain + 48 * y, 8 * blocks).ToArray(), new Span<byte>(fast + 48 * y, 8 * blocks).ToArray());
            }
        }
    }

    [Fact]
    public void Converts_every_color_as_the_plain_formula_does()
    {
        var y = stackalloc byte[256 + 64];
        var cb = stackalloc byte[256 + 64];
        var cr = stackalloc byte[256 + 64];
        var rgb = stackalloc byte[3 * (256 + 64)];
        for (var blue = 0; blue < 256; blue++)
        {
            for (var light = 0; light < 256; light += 51)
            {
                for (var red = 0; red < 256; red++)
                {
                    (y[red], cb[red], cr[red]) = ((byte)light, (byte)blue, (byte)red);
                }

                ColorConversion.YCbCr(y, cb, cr, rgb, 256, overrun: true);

                for (var red = 0; red < 256; red++)
                {
                    Assert.Equal(Clamp(light + ((91881 * (red - 128) + 32768) >> 16)), rgb[3 * red]);
                    Assert.Equal(Clamp(light + ((-22554 * (blue - 128) - 46802 * (red - 128) + 32768) >> 16)), rgb[3 * red + 1]);
                    Assert.Equal(Clamp(light + ((116130 * (blue - 128) + 32768) >> 16)), rgb[3 * red + 2]);
                }
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(16)]
    [InlineData(37)]
    public void Doubles_rows_as_the_plain_formula_does(int width)
    {
        var near = stackalloc byte[128];
        var far = stackalloc byte[128];
        var sums = stackalloc ushort[256];
        var output = stackalloc byte[256];
        var rng = new Rng(9);
        for (var x = 0; x < 128; x++)
        {
            (near[x], far[x]) = ((byte)rng.NextUInt32(), (byte)rng.NextUInt32());
        }

        Upsampling.DoubleBoth(near, far, width, sums, output);
        for (var x = 0; x < 2 * width; x++)
        {
            var (here, neighbor) = (x / 2, Math.Clamp(x / 2 + (x % 2 == 0 ? -1 : 1), 0, width - 1));
            var expected = (3 * (3 * near[here] + far[here]) + 3 * near[neighbor] + far[neighbor] + (x % 2 == 0 ? 8 : 7)) >> 4;
            Assert.Equal(expected, output[x]);
        }

        Upsampling.DoubleAcross(near, width, sums, output);
        for (var x = 0; x < 2 * width; x++)
        {
            var (here, neighbor) = (x / 2, Math.Clamp(x / 2 + (x % 2 == 0 ? -1 : 1), 0, width - 1));
            Assert.Equal((3 * near[here] + near[neighbor] + (x % 2 == 0 ? 1 : 2)) >> 2, output[x]);
        }
    }

    private static int Clamp(int value) => Math.Clamp(value, 0, 255);
}
