using System.Text.Json;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;
using Vizsla.Transforms;

namespace Vizsla.Tests.Transforms;

public sealed partial class TransformGoldenTests
{
    // Each name of FUNCTIONAL in make/transforms.py and what it means here.
    private static readonly Dictionary<string, Func<Image, Image>> Functionals = new()
    {
        ["hflip"] = Flip.Horizontal,
        ["vflip"] = Flip.Vertical,
        ["center_crop(50,50)"] = image => Run(new CenterCrop(50), image),
        ["center_crop(150,40)"] = image => Run(new CenterCrop((150, 40)), image),
        ["crop(5,7,40,60)"] = image => Cropping.Crop(image, 5, 7, 40, 60),
        ["resize(64)"] = image => Run(new Resize(64), image),
        ["resize(64,max_size=70)"] = image => Run(new Resize(64, MaxSize: 70), image),
        ["resize(33,77,bicubic)"] = image => Run(new Resize((33, 77), Interpolation.Bicubic), image),
        ["pad([3,5,7,9],fill=(1,2,3))"] = image => Cropping.Pad(image, (3, 5, 7, 9), (1, 2, 3), PaddingMode.Constant),
        ["pad(8,edge)"] = image => Cropping.Pad(image, 8, 0, PaddingMode.Edge),
        ["pad(8,reflect)"] = image => Cropping.Pad(image, 8, 0, PaddingMode.Reflect),
        ["pad(8,symmetric)"] = image => Cropping.Pad(image, 8, 0, PaddingMode.Symmetric),
        ["rotate(30)"] = image => Rotation.Rotate(image, 30, Interpolation.Nearest, expand: false, null, 0),
        ["rotate(30,bilinear,expand,fill=(9,8,7))"] = image => Rotation.Rotate(image, 30, Interpolation.Bilinear, expand: true, null, (9, 8, 7)),
        ["rotate(-77.5,bicubic,center=(10,20))"] = image => Rotation.Rotate(image, -77.5, Interpolation.Bicubic, expand: false, (10, 20), 0),
        ["rotate(90,expand)"] = image => Rotation.Rotate(image, 90, Interpolation.Nearest, expand: true, null, 0),
        ["affine(20,[5,-3],0.8,[10,5])"] = image => Affine(image, 20, (5, -3), 0.8, (10, 5), Interpolation.Nearest, 0),
        ["affine(-35,[2,4],1.3,[0,12],bilinear,fill=(5,5,5))"] = image => Affine(image, -35, (2, 4), 1.3, (0, 12), Interpolation.Bilinear, 5),
        ["perspective(corners of the script)"] = PerspectiveOfTheScript,
        ["brightness(0.7)"] = image => Enhance.Brightness(image, 0.7),
        ["brightness(1.6)"] = image => Enhance.Brightness(image, 1.6),
        ["contrast(0.4)"] = image => Enhance.Contrast(image, 0.4),
        ["contrast(1.8)"] = image => Enhance.Contrast(image, 1.8),
        ["saturation(0)"] = image => Enhance.Saturation(image, 0),
        ["saturation(1.7)"] = image => Enhance.Saturation(image, 1.7),
        ["hue(0.1)"] = image => HueShift.Apply(image, 0.1),
        ["hue(-0.37)"] = image => HueShift.Apply(image, -0.37),
        ["hue(0.5)"] = image => HueShift.Apply(image, 0.5),
        ["gamma(0.6,2)"] = image => Levels.Gamma(image, 0.6, 2),
        ["sharpness(0)"] = image => Enhance.Sharpness(image, 0),
        ["sharpness(2)"] = image => Enhance.Sharpness(image, 2),
        ["grayscale(3)"] = Enhance.Grayscale,
        ["invert"] = Levels.Invert,
        ["posterize(2)"] = image => Levels.Posterize(image, 2),
        ["solarize(192)"] = image => Levels.Solarize(image, 192),
        ["autocontrast"] = Levels.AutoContrast,
        ["equalize"] = Levels.Equalize,
        ["gaussian_blur([5,9],[1.3,1.3])"] = image => Blur.Gaussian(image, 5, 9, 1.3, 1.3),
        ["gaussian_blur([3,3])"] = image => Blur.Gaussian(image, 3, 3, (3 * 0.15) + 0.35, (3 * 0.15) + 0.35),
        ["gaussian_blur([23,1],[4.0,0.5])"] = image => Blur.Gaussian(image, 23, 1, 4.0, 0.5),
    };

    private static readonly Lazy<ILookup<string, JsonElement>> FunctionalCases = new(() => CasesOf("functional.json", "op"));

    public static TheoryData<string> FunctionalNames() => [.. FunctionalCases.Value.Select(cases => cases.Key).DefaultIfEmpty("")];

    [Theory]
    [MemberData(nameof(FunctionalNames))]
    public void A_functional_makes_the_recorded_picture(string name)
    {
        Golden.Require("transforms", "functional.json");
        Assert.True(Functionals.TryGetValue(name, out var functional), $"No functional is known by the name '{name}'.");
        var differences = new List<string>();

        foreach (var recorded in FunctionalCases.Value[name])
        {
            var source = recorded.GetProperty("source").GetInt32();
            using var image = LoadSource(source);
            var plain = functional(image);
            using var result = Matches(recorded, plain) || !FollowsTorchsSimd.Contains(name) ? plain : OnAvx512(() => functional(image));
            Compare($"source {source}", recorded, result, differences);
        }

        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    private static Image Run(ImageTransform transform, Image image)
    {
        var result = transform.Apply(image, new Rng(0));
        return ReferenceEquals(result, image) ? image.Clone() : result;
    }

    private static Image Affine(
        Image image, double degrees, (double X, double Y) translate, double scale, (double X, double Y) shear, Interpolation interpolation, FillColor fill)
    {
        var matrix = AffineMatrix.Inverse((image.Width * 0.5, image.Height * 0.5), degrees, translate, scale, shear);
        return AffineSampler.Transform(image, image.Width, image.Height, matrix, interpolation, fill);
    }

    private static Image PerspectiveOfTheScript(Image image)
    {
        var (right, bottom) = (image.Width - 1, image.Height - 1);
        var map = PerspectiveMap.Between(
            [(0, 0), (right, 0), (right, bottom), (0, bottom)],
            [(5, 4), (image.Width - 9, 2), (image.Width - 3, image.Height - 6), (2, image.Height - 11)]);
        var result = new Image(image.Width, image.Height);
        result.Pixels.Clear();
        PixelSampler.Sample(image, result, map, Interpolation.Bilinear);
        return result;
    }

    private static Image LoadSource(int source) => ImageCodec.Load(Golden.Require("transforms", "png", $"source-{source}.png"));

    // The cases of a recording by name; the file is read once.
    private static ILookup<string, JsonElement> CasesOf(string file, string key)
    {
        var path = Path.Combine(Golden.Root, "transforms", file);
        return (File.Exists(path) ? JsonDocument.Parse(File.ReadAllBytes(path)).RootElement.GetProperty("cases").EnumerateArray() : [])
            .ToLookup(entry => entry.GetProperty(key).GetString()!);
    }

    private static bool Matches(JsonElement recorded, Image result) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(result.Pixels)) == recorded.GetProperty("rgb").GetString();

    // Adds a sentence when the picture differs; where the recording holds the pixels, it says by how much.
    private static void Compare(string what, JsonElement recorded, Image result, List<string> differences)
    {
        var size = recorded.GetProperty("size");
        var (width, height) = (size[0].GetInt32(), size[1].GetInt32());
        if (result.Width != width || result.Height != height)
        {
            differences.Add($"{what}: {result.Width}x{result.Height}, torchvision {width}x{height}");
            return;
        }

        if (Matches(recorded, result))
        {
            return;
        }

        var how = "";
        if (recorded.TryGetProperty("png", out var png) && File.Exists(Path.Combine(Golden.Root, "transforms", "png", png.GetString()!)))
        {
            using var expected = ImageCodec.Load(Path.Combine(Golden.Root, "transforms", "png", png.GetString()!));
            var (different, largest) = (0, 0);
            for (var i = 0; i < expected.Pixels.Length; i++)
            {
                var difference = Math.Abs(expected.Pixels[i] - result.Pixels[i]);
                different += difference > 0 ? 1 : 0;
                largest = Math.Max(largest, difference);
            }

            how = $" in {different} of {expected.Pixels.Length} levels, by {largest} at most";
        }

        differences.Add($"{what}: pixels differ{how}");
    }
}
