using System.Text.Json;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;
using Vizsla.Transforms;

namespace Vizsla.Tests.Transforms;

public sealed partial class TransformGoldenTests
{
    // Each name of seeded() in make/transforms.py and what it means here.
    private static readonly Dictionary<string, ImageTransform> Seeded = new()
    {
        ["RandomHorizontalFlip(0.4)"] = new RandomHorizontalFlip(0.4),
        ["RandomVerticalFlip(0.1)"] = new RandomVerticalFlip(0.1),
        ["RandomRotation((0,90))"] = new RandomRotation(0, 90),
        ["RandomRotation(45,bilinear,expand,fill=7)"] = new RandomRotation(45, Interpolation.Bilinear, Expand: true, Fill: 7),
        ["ColorJitter(brightness=.3,hue=.1)"] = new ColorJitter(Brightness: 0.3, Hue: 0.1),
        ["ColorJitter(.5,.5,.5,.3)"] = new ColorJitter(0.5, 0.5, 0.5, 0.3),
        ["GaussianBlur((5,9))"] = new GaussianBlur(5, 9),
        ["GaussianBlur((5,9),(0.1,5))"] = new GaussianBlur(5, 9) { Sigma = (0.1, 5) },
        ["RandomApply([RandomRotation((0,90))],0.5)"] = new RandomApply([new RandomRotation(0, 90)], 0.5),
        ["RandomAffine((0,180),(0.1,0.3),(0.5,0.75))"] = new RandomAffine((0, 180), (0.1, 0.3), (0.5, 0.75)),
        ["RandomAffine(15,shear=(5,10,-5,5),bilinear)"] = new RandomAffine(15, Shear: [5, 10, -5, 5], Interpolation: Interpolation.Bilinear),
        ["RandomPerspective(0.6,1.0)"] = new RandomPerspective(0.6, 1.0),
        ["RandomPerspective(0.5,0.5,nearest)"] = new RandomPerspective(0.5, 0.5, Interpolation.Nearest),
        ["RandomCrop((50,50))"] = new RandomCrop((50, 50)),
        ["RandomCrop((150,60),pad_if_needed,padding=4,reflect)"] = new RandomCrop((150, 60), 4, PadIfNeeded: true, PaddingMode: PaddingMode.Reflect),
        ["RandomResizedCrop((50,50))"] = new RandomResizedCrop((50, 50)),
        ["RandomResizedCrop(64,scale=(0.5,1),bicubic)"] = new RandomResizedCrop(64, Interpolation.Bicubic) { Scale = (0.5, 1.0) },
        ["RandomInvert"] = new RandomInvert(),
        ["RandomPosterize(2)"] = new RandomPosterize(2),
        ["RandomSolarize(192)"] = new RandomSolarize(192),
        ["RandomAdjustSharpness(2)"] = new RandomAdjustSharpness(2),
        ["RandomAutocontrast"] = new RandomAutocontrast(),
        ["RandomEqualize"] = new RandomEqualize(),
        ["RandomGrayscale(0.5)"] = new RandomGrayscale(0.5),
        ["RandomPhotometricDistort"] = new RandomPhotometricDistort(),
        ["RandomChannelPermutation"] = new RandomChannelPermutation(),
        ["RandomZoomOut"] = new RandomZoomOut(),
        ["ScaleJitter((80,80))"] = new ScaleJitter((80, 80)),
        ["ElasticTransform(50,5)"] = new ElasticTransform(50.0, 5.0),
        ["RandomChoice"] = new RandomChoice([new RandomHorizontalFlip(1.0), new RandomVerticalFlip(1.0)]),
        ["RandomOrder"] = new RandomOrder([new RandomHorizontalFlip(), new ColorJitter(0.5), new RandomRotation(10)]),
        ["RandAugment()"] = new RandAugment(),
        ["RandAugment(3,15)"] = new RandAugment(3, 15),
        ["TrivialAugmentWide()"] = new TrivialAugmentWide(),
        ["AugMix()"] = new AugMix(),
        ["AugMix(5,2)"] = new AugMix(Severity: 5, MixtureWidth: 2),
        ["AutoAugment(imagenet)"] = new AutoAugment(AutoAugmentPolicy.ImageNet),
        ["AutoAugment(cifar10)"] = new AutoAugment(AutoAugmentPolicy.Cifar10),
        ["AutoAugment(svhn)"] = new AutoAugment(AutoAugmentPolicy.Svhn),
        ["breeds"] = new Compose(
            new Resize((64, 64)),
            new RandomHorizontalFlip(0.4),
            new RandomVerticalFlip(0.1),
            new RandomApply([new RandomRotation(0, 90)], 0.5),
            new RandomApply([new ColorJitter(Brightness: 0.3, Hue: 0.1)], 0.3),
            new RandomApply([new GaussianBlur(5, 9)], 0.3)),
    };

    // Known differences: torch itself weighs a wide Gaussian differently on AVX2, which the library follows, and on AVX-512.
    // A recording from either machine is met to the last level by adding up the weights in its number of lanes.
    private static readonly HashSet<string> FollowsTorchsSimd =
    [
        "GaussianBlur((5,9))", "GaussianBlur((5,9),(0.1,5))", "breeds",
        "gaussian_blur([5,9],[1.3,1.3])", "gaussian_blur([23,1],[4.0,0.5])",
    ];

    private static readonly Lazy<ILookup<string, JsonElement>> SeededCases = new(() => CasesOf("seeded.json", "transform"));

    public static TheoryData<string> SeededNames() => [.. SeededCases.Value.Select(cases => cases.Key).DefaultIfEmpty("")];

    [Theory]
    [MemberData(nameof(SeededNames))]
    public void A_random_transform_makes_the_recorded_picture_and_leaves_the_generator_where_torch_does(string name)
    {
        Golden.Require("transforms", "seeded.json");
        Assert.True(Seeded.TryGetValue(name, out var transform), $"No transform is known by the name '{name}'.");
        var sources = new Dictionary<int, Image>();
        var differences = new List<string>();

        foreach (var recorded in SeededCases.Value[name])
        {
            var source = recorded.GetProperty("source").GetInt32();
            var seed = recorded.GetProperty("seed").GetUInt64();
            if (!sources.TryGetValue(source, out var image))
            {
                sources[source] = image = LoadSource(source);
            }

            var what = $"source {source}, seed {seed}";
            var rng = new Rng(seed);
            if (recorded.TryGetProperty("error", out var error))
            {
                Assert.ThrowsAny<ArgumentException>(() => transform.Apply(image, rng));
                continue;
            }

            var result = transform.Apply(image, rng);
            if (!Matches(recorded, result) && FollowsTorchsSimd.Contains(name))
            {
                DisposeUnless(image, result);
                rng = new Rng(seed);
                result = OnAvx512(() => transform.Apply(image, rng));
            }

            Compare(what, recorded, result, differences);
            var next = rng.NextInt64();
            if (next != recorded.GetProperty("next_draw").GetInt64())
            {
                differences.Add($"{what}: the generator stands elsewhere");
            }

            DisposeUnless(image, result);
        }

        foreach (var image in sources.Values)
        {
            image.Dispose();
        }

        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    private static void DisposeUnless(Image image, Image result)
    {
        if (!ReferenceEquals(result, image))
        {
            result.Dispose();
        }
    }

    private static Image OnAvx512(Func<Image> run)
    {
        GaussianKernel.FollowsAvx512 = true;
        try
        {
            return run();
        }
        finally
        {
            GaussianKernel.FollowsAvx512 = false;
        }
    }
}
