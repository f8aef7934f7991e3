using System.Globalization;
using System.Text.RegularExpressions;
using Vizsla.Models;
using Vizsla.Models.Layers;

namespace Vizsla.Training.Optimizers;

/// <summary>The layer, counted from the input, that each parameter belongs to.</summary>
/// <remarks>
/// Source: the <c>group_matcher</c> of each timm model, and the same cut for the names of transformers. Parity: exact for timm.
/// What no expression matches is the head and the last layer; a norm behind the last block belongs to that block.
/// </remarks>
internal static class LayerOrder
{
    /// <summary>Adds nothing to a layer of its own: joins the one before.</summary>
    private const double JoinsPrevious = 99999;

    // Stem first, then the blocks in their order; a suffix takes the place of a missing number.
    private static readonly Family[] Families =
    [
        // timm: Vision Transformer, ResNet, EfficientNet, MobileNet V3 and V4, ResNet V2 and ConvNeXt and HGNet, RepVGG, RegNet, Xception, DenseNet, VGG, Inception v4.
        new("cls_token|dist_token|reg_token|pos_embed|patch_embed|norm_pre", [new(@"blocks\.(\d+)\.(?!\d)"), new("norm", JoinsPrevious)]),
        new("conv1|bn1|maxpool", [new(@"layer(\d+)\.(\d+)")]),
        new("conv_stem|bn1", [new(@"blocks\.(\d+)\.(\d+)"), new("conv_head|bn2", JoinsPrevious)], mark: "bn2"),
        new("conv_stem|bn1", [new(@"blocks\.(\d+)\.(\d+)")]),
        new("stem", [new(@"stages\.(\d+)\.blocks\.(\d+)"), new(@"stages\.(\d+)\.downsample", 0), new("norm", JoinsPrevious)]),
        new("stem", [new(@"stages\.(\d+)\.(\d+)"), new("final_conv", JoinsPrevious)]),
        new("stem", [new(@"s(\d+)\.b(\d+)")]),
        new("stem", [new(@"blocks\.(\d+)"), new("norm", JoinsPrevious)]),
        new("conv[12]|bn[12]", [new(@"block(\d+)"), new("conv[34]|bn[34]", 99)]),
        new(@"features\.conv[012]|features\.norm[012]", [new(@"features\.denseblock(\d+)\.denselayer(\d+)"), new(@"features\.transition(\d+)", JoinsPrevious)]),
        new(@"features\.0\.(?!conv)", [new(@"features\.(\d+)")]),
        new(@"features\.[012]\.", [new(@"features\.(\d+)")]),

        // transformers: ViT, DeiT, BEiT, DINOv2; Swin; ConvNeXt; ResNet; EfficientNet; MobileNetV2.
        new(@"\w+\.embeddings", [new(@"\w+\.encoder\.layer\.(\d+)"), new(@"\w+\.(?:layernorm|pooler)", JoinsPrevious)]),
        new(@"swin\.embeddings", [new(@"swin\.encoder\.layers\.(\d+)\.blocks\.(\d+)"), new(@"swin\.encoder\.layers\.(\d+)\.downsample", 1000), new(@"swin\.layernorm", JoinsPrevious)]),
        new(@"\w+\.embeddings", [new(@"\w+\.encoder\.stages\.(\d+)\.downsampling_layer", 0), new(@"\w+\.encoder\.stages\.(\d+)\.layers\.(\d+)"), new(@"\w+\.layernorm", JoinsPrevious)]),
        new(@"resnet\.embedder", [new(@"resnet\.encoder\.stages\.(\d+)\.layers\.(\d+)")]),
        new(@"efficientnet\.embeddings", [new(@"efficientnet\.encoder\.blocks\.(\d+)"), new(@"efficientnet\.encoder\.top", JoinsPrevious)]),
        new(@"mobilenet_v2\.conv_stem", [new(@"mobilenet_v2\.layer\.(\d+)"), new(@"mobilenet_v2\.conv_1x1", JoinsPrevious)]),
    ];

    /// <summary>Layer of each parameter from 0 at the input; the highest is the head's.</summary>
    /// <remarks>A network that is none of these families has a layer for each of its blocks, in the order of its file; what lies between two blocks belongs to the first.</remarks>
    public static IReadOnlyDictionary<string, int> Of(ClassificationNetwork network)
    {
        var names = network.named_parameters().Select(p => p.name).ToList();
        return Families.FirstOrDefault(f => f.Fits(names)) is { } family ? ByNames(family, names) : ByBlocks(network, names);
    }

    private static Dictionary<string, int> ByBlocks(ClassificationNetwork network, List<string> names)
    {
        var blocks = ModuleTree.Blocks(network).Select(path => path + '.').ToList();
        var head = network.HeadParameterNames.ToHashSet(StringComparer.Ordinal);
        var (layers, layer) = (new Dictionary<string, int>(StringComparer.Ordinal), 0);
        foreach (var name in names)
        {
            var block = blocks.FindIndex(b => name.StartsWith(b, StringComparison.Ordinal));
            layer = block < 0 ? layer : block + 1;
            layers.Add(name, head.Contains(name) ? blocks.Count + 1 : layer);
        }

        return layers;
    }

    private static Dictionary<string, int> ByNames(Family family, List<string> names)
    {
        var layers = new Dictionary<string, int>(StringComparer.Ordinal);
        var layer = -1;
        foreach (var group in names.GroupBy(family.Place, PlaceComparer.Instance).OrderBy(g => g.Key, PlaceComparer.Instance))
        {
            layer += layer < 0 || group.Key[^1] != JoinsPrevious ? 1 : 0;
            foreach (var name in group)
            {
                layers.Add(name, layer);
            }
        }

        return layers;
    }

    private sealed record Block(string Pattern, double? Suffix = null);

    private sealed class Family
    {
        private readonly (Regex Pattern, double[] Prefix, double[] Suffix)[] _places;

        private readonly Regex? _mark;

        public Family(string stem, Block[] blocks, string? mark = null)
        {
            _mark = mark is null ? null : Start(mark);
            _places =
            [
                (Start(stem), [0], []),
                .. blocks.Select(b => (Start(b.Pattern), new double[] { 1 }, b.Suffix is { } suffix ? new[] { suffix } : [])),
            ];
        }

        /// <summary>Whether there is a stem, at least one block of the first kind, and what marks the family.</summary>
        public bool Fits(IReadOnlyList<string> names) =>
            _places.Take(2).All(p => names.Any(p.Pattern.IsMatch)) && (_mark is null || names.Any(_mark.IsMatch));

        public double[] Place(string name)
        {
            foreach (var (pattern, prefix, suffix) in _places)
            {
                if (pattern.Match(name) is { Success: true } match)
                {
                    return [.. prefix, .. match.Groups.Values.Skip(1).Select(g => double.Parse(g.ValueSpan, CultureInfo.InvariantCulture)), .. suffix];
                }
            }

            return [double.PositiveInfinity];
        }

        private static Regex Start(string pattern) => new($"^(?:{pattern})", RegexOptions.CultureInvariant);
    }

    private sealed class PlaceComparer : IComparer<double[]>, IEqualityComparer<double[]>
    {
        public static PlaceComparer Instance { get; } = new();

        public int Compare(double[]? x, double[]? y) => x.AsSpan().SequenceCompareTo(y);

        public bool Equals(double[]? x, double[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(double[] obj) => obj.Aggregate(0, HashCode.Combine);
    }
}
