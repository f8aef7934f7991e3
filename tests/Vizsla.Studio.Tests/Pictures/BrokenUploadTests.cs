using System.Buffers.Binary;
using System.IO.Compression;
using System.Net;
using System.Text.Json.Nodes;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Pictures;

public sealed class BrokenUploadTests
{
    private const int Side = 60_000;

    [Fact]
    public async Task A_small_file_of_too_many_pixels_is_refused_before_it_is_decoded()
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel());
        var bomb = Bomb();

        var response = await server.Client.PostAsync("/models/colors", new ByteArrayContent(bomb));

        Assert.InRange(bomb.Length, 1, 60 << 10);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("3600000000 pixels", await ErrorAsync(response), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_many_bytes_are_refused()
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel(), o => o.MaxPictureBytes = 1 << 20);

        var response = await server.Client.PostAsync("/models/colors", new ByteArrayContent(new byte[(1 << 20) + 1]));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("The picture has more than 1 MiB; this server takes no larger ones.", await ErrorAsync(response));
    }

    [Fact]
    public async Task The_type_is_told_by_the_content_not_by_the_name()
    {
        await using var server = await RunningServer.ServeAsync(new ColorModel());
        using var text = new ByteArrayContent("<svg xmlns='http://www.w3.org/2000/svg'/>"u8.ToArray());
        text.Headers.ContentType = new("image/png");

        var response = await server.Client.PostAsync("/models/colors", text);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Fact, Trait("Category", "Slow")]
    public async Task Ten_thousand_broken_uploads_get_ten_thousand_clear_answers()
    {
        const int count = 10_000;
        await using var server = await RunningServer.ServeAsync(new ColorModel(), o => o.MaxQueue = 1000);
        byte[][] whole = [.. WholePictures()];
        var rng = new Rng(17);

        var clear = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, count).Select(i => Break(whole[i % whole.Length], rng)), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (data, token) =>
        {
            using var response = await server.Client.PostAsync("/models/colors", new ByteArrayContent(data), token);
            var text = await response.Content.ReadAsStringAsync(token);
            // A flipped bit may leave a picture that can be read; everything else is refused in a sentence that names nothing inside.
            if (response.StatusCode == HttpStatusCode.OK
                || ((int)response.StatusCode is 400 or 413 or 415 && JsonNode.Parse(text)!["error"]!.GetValue<string>() is { Length: > 10 } error
                    && !error.Contains('/', StringComparison.Ordinal) && !error.Contains(" at ", StringComparison.Ordinal)))
            {
                Interlocked.Increment(ref clear);
            }
            else
            {
                Assert.Fail($"{response.StatusCode}: {text}");
            }
        });

        Assert.Equal(count, clear);
        Assert.Equal("ok", await server.Client.GetStringAsync("/healthz"));
    }

    private static IEnumerable<byte[]> WholePictures()
    {
        using var image = TestPictures.Plain(200, 120, 40, 48, 40);
        using var jpeg = new MemoryStream();
        Imaging.ImageCodec.SaveJpeg(image, jpeg);
        yield return TestPictures.Png(1, 2, 3, 48, 40);
        yield return jpeg.ToArray();
        var odd = Path.Combine(Golden.Data, "odd-images", "pillow");
        foreach (var file in Directory.Exists(odd) ? Directory.EnumerateFiles(odd).Order(StringComparer.Ordinal).Where(f => new FileInfo(f).Length < 40_000) : [])
        {
            yield return File.ReadAllBytes(file);
        }
    }

    private static byte[] Break(byte[] whole, Rng rng)
    {
        var data = whole.ToArray();
        switch (rng.NextUInt32() % 4)
        {
            case 0:
                return data[..(int)(rng.NextUInt32() % (uint)data.Length + 1)];
            case 1:
                for (var i = 0; i < 8; i++)
                {
                    data[rng.NextUInt32() % (uint)data.Length] ^= (byte)(1 << (int)(rng.NextUInt32() % 8));
                }

                return data;
            case 2:
                for (var i = 0; i < data.Length; i++)
                {
                    data[i] = (byte)rng.NextUInt32();
                }

                return data;
            default:
                // The beginning of one kind with the rest of nothing.
                data.AsSpan(Math.Min(12, data.Length)).Clear();
                return data;
        }
    }

    /// <summary>A valid header of 60,000 x 60,000 pixels over 50 KB of well-compressed nothing.</summary>
    internal static byte[] Bomb()
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, Side);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), Side);
        (header[8], header[9]) = (8, 2);
        Chunk(file, "IHDR", header);
        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            for (var i = 0; i < 250; i++)
            {
                zlib.Write(new byte[(Side * 3) + 1]);
            }
        }

        Chunk(file, "IDAT", data.ToArray());
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    private static void Chunk(Stream file, string name, byte[] data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        byte[] body = [.. System.Text.Encoding.ASCII.GetBytes(name), .. data];
        file.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32(body));
        file.Write(number);
    }

    private static uint Crc32(byte[] data)
    {
        var crc = uint.MaxValue;
        foreach (var b in data)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 1 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }

        return ~crc;
    }

    private static async Task<string> ErrorAsync(HttpResponseMessage response) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!.GetValue<string>();
}
