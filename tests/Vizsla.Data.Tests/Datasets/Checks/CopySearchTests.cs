using Vizsla.Datasets.Checks;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Checks;

public sealed class CopySearchTests
{
    // Any distance within which copies are expected; the measured ones are in PictureSignature.
    private const int Near = 8;

    public static TheoryData<string> Changes => ["jpeg", "half", "double", "bright", "dark", "margin"];

    [Theory]
    [MemberData(nameof(Changes))]
    public void A_changed_copy_of_a_photo_is_near_and_another_photo_is_not(string change)
    {
        using var photo = ImageCodec.Load(First("beagle"));
        using var copy = Change(photo, change);
        using var other = ImageCodec.Load(First("pug"));

        var groups = CopySearch.Alike([Facts("a", photo), Facts("b", other), Facts("c", copy)], Near);

        Assert.Equal([0, 2], Assert.Single(groups));
    }

    [Fact]
    public void The_bands_miss_no_pair_that_a_comparison_of_all_finds()
    {
        var rng = new Rng(7);
        var pictures = Enumerable.Range(0, 400).Select(i => Facts($"{i}", NextHash(rng))).ToList();
        pictures.AddRange(Enumerable.Range(0, 400).Select(i => Facts($"copy {i}", Flip(pictures[i].Signature!.Hash, i % 20, rng))));

        var groups = CopySearch.Alike(pictures, Near);

        var expected = new List<int[]>();
        for (var a = 0; a < pictures.Count; a++)
        {
            for (var b = a + 1; b < pictures.Count; b++)
            {
                if (pictures[a].Signature!.Distance(pictures[b].Signature!) <= Near)
                {
                    expected.Add([a, b]);
                }
            }
        }

        Assert.True(expected.Count >= 400 * 9 / 20);
        Assert.Equal(expected, groups);
    }

    [Fact]
    public void Plain_pictures_share_a_hash_and_are_told_apart_by_their_color()
    {
        var red = new PictureSignature(0, [.. Enumerable.Repeat<byte[]>([200, 20, 20], 64).SelectMany(p => p)]);
        var blue = new PictureSignature(0, [.. Enumerable.Repeat<byte[]>([20, 20, 200], 64).SelectMany(p => p)]);

        var groups = CopySearch.Alike([Facts("1", red), Facts("2", blue), Facts("3", red)], Near);

        Assert.True(red.IsBlank);
        Assert.Equal([0, 2], Assert.Single(groups));
    }

    [Fact]
    public void Content_joins_what_cannot_be_read_and_a_chain_of_likeness_is_one_group()
    {
        var hash = 0x5555_5555_5555_5554UL;
        PictureFacts[] pictures = [Broken("x"), Facts("1", hash), Broken("x"), Facts("2", hash ^ 0xFF00), Facts("3", hash ^ 0xFF_FF00), Broken("")];

        Assert.Equal([[0, 2]], CopySearch.Exact(pictures));
        Assert.Equal([[0, 2], [1, 3, 4]], CopySearch.Alike(pictures, Near));
        Assert.Equal([[0, 2]], CopySearch.Alike(pictures, 7));
    }

    private static string First(string breed) => Directory.EnumerateFiles(Golden.RequireData("oxford-pets", breed)).Order(StringComparer.Ordinal).First();

    private static PictureFacts Broken(string hash) => new("it is truncated", 0, 0, hash, null);

    private static PictureFacts Facts(string content, Image image) => Facts(content, PictureSignature.Of(image));

    private static PictureFacts Facts(string content, ulong hash) => Facts(content, new PictureSignature(hash, new byte[192]));

    private static PictureFacts Facts(string content, PictureSignature signature) => new(null, 64, 64, content, signature);

    private static ulong NextHash(Rng rng) => (((ulong)rng.NextUInt32() << 32) | rng.NextUInt32()) & ~1UL;

    private static ulong Flip(ulong hash, int bits, Rng rng)
    {
        foreach (var bit in Enumerable.Range(1, 63).Select(b => (b, Key: rng.NextUInt32())).OrderBy(p => p.Key).Take(bits))
        {
            hash ^= 1UL << bit.b;
        }

        return hash;
    }

    private static Image Change(Image photo, string change)
    {
        var (width, height) = (photo.Width, photo.Height);
        switch (change)
        {
            case "jpeg":
                using (var stream = new MemoryStream())
                {
                    ImageCodec.SaveJpeg(photo, stream, 30);
                    return ImageCodec.Decode(stream.ToArray());
                }

            case "half":
                return Resampler.Resize(photo, width / 2, height / 2, Interpolation.Bilinear);
            case "double":
                return Resampler.Resize(photo, width * 2, height * 2, Interpolation.Bicubic);
            case "margin":
                return Resampler.Resize(photo, width, height, Interpolation.Bilinear, (width * 0.01, height * 0.01, width * 0.99, height * 0.99));
            default:
                var changed = photo.Clone();
                foreach (ref var value in changed.Pixels)
                {
                    value = (byte)Math.Min(255, value * (change == "bright" ? 1.2 : 0.8));
                }

                return changed;
        }
    }
}
