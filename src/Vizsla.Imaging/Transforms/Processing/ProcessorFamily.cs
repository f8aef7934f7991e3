using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>What a type of image processor does where its file is silent.</summary>
/// <remarks>Source: transformers 5.23 <c>models/*/image_processing_pil_*.py</c> and <c>models/auto/image_processing_auto.py</c>.</remarks>
internal sealed record ProcessorFamily(string Name, ImageProcessor Defaults)
{
    private static readonly ValueList<double> Halves = [0.5, 0.5, 0.5];
    private static readonly ValueList<double> ImageNetMean = [0.485, 0.456, 0.406];
    private static readonly ValueList<double> ImageNetStd = [0.229, 0.224, 0.225];
    private static readonly ValueList<double> ClipMean = [0.48145466, 0.4578275, 0.40821073];
    private static readonly ValueList<double> ClipStd = [0.26862954, 0.26130258, 0.27577711];

    /// <summary>The families by the name of their processor.</summary>
    public static IReadOnlyDictionary<string, ProcessorFamily> All { get; } = new ProcessorFamily[]
    {
        new("ViTImageProcessor", Square(224, Interpolation.Bilinear, Halves, Halves)),
        new("DeiTImageProcessor", Square(256, Interpolation.Bicubic, Halves, Halves) with { DoCenterCrop = true, CropSize = (224, 224) }),
        new("BeitImageProcessor", Square(224, Interpolation.Bicubic, Halves, Halves) with { DoCenterCrop = false, CropSize = (224, 224), DoReduceLabels = false }),
        new("ConvNextImageProcessor", Shortest(384, Interpolation.Bicubic, Halves, Halves) with { CropPct = 224.0 / 256 }),
        new("BitImageProcessor", Shortest(224, Interpolation.Bicubic, ClipMean, ClipStd) with { DoCenterCrop = true, CropSize = (224, 224), DoConvertRgb = true }),
        new("CLIPImageProcessor", Shortest(224, Interpolation.Bicubic, ClipMean, ClipStd) with { DoCenterCrop = true, CropSize = (224, 224), DoConvertRgb = true }),
        new("SiglipImageProcessor", Square(224, Interpolation.Bicubic, Halves, Halves) with { DoConvertRgb = true, DefaultToSquare = false }),
        new("DINOv3ViTImageProcessor", Square(224, Interpolation.Bilinear, ImageNetMean, ImageNetStd)),
        new("EfficientNetImageProcessor", Square(346, Interpolation.Bicubic, Halves, Halves) with { DoCenterCrop = false, CropSize = (289, 289), RescaleOffset = false, IncludeTop = true }),
        new("MobileNetV1ImageProcessor", Shortest(256, Interpolation.Bilinear, Halves, Halves) with { DoCenterCrop = true, CropSize = (224, 224) }),
        new("MobileNetV2ImageProcessor", Shortest(256, Interpolation.Bilinear, Halves, Halves) with { DoCenterCrop = true, CropSize = (224, 224), DoReduceLabels = false }),
        new("MobileViTImageProcessor", Shortest(224, Interpolation.Bicubic, Halves, Halves) with { DoNormalize = null, DoCenterCrop = true, CropSize = (256, 256), DoFlipChannelOrder = true, DoReduceLabels = false }),
        new("LevitImageProcessor", Shortest(224, Interpolation.Bicubic, ImageNetMean, ImageNetStd) with { DoCenterCrop = true, CropSize = (224, 224) }),
        new("PoolFormerImageProcessor", Shortest(224, Interpolation.Bicubic, ImageNetMean, ImageNetStd) with { DoCenterCrop = true, CropSize = (224, 224), CropPct = 0.9 }),
        new("PvtImageProcessor", Square(224, Interpolation.Bicubic, ImageNetMean, ImageNetStd)),
        new("SegformerImageProcessor", Square(512, Interpolation.Bilinear, ImageNetMean, ImageNetStd) with { DoReduceLabels = false }),
    }.Select(family => family with { Defaults = family.Defaults with { ImageProcessorType = family.Name } }).ToDictionary(family => family.Name);

    /// <summary>The processor of a model whose files name none, by <c>model_type</c>.</summary>
    public static IReadOnlyDictionary<string, string> ByModelType { get; } = new Dictionary<string, string>
    {
        ["vit"] = "ViTImageProcessor",
        ["vit_mae"] = "ViTImageProcessor",
        ["vit_msn"] = "ViTImageProcessor",
        ["ijepa"] = "ViTImageProcessor",
        ["swin"] = "ViTImageProcessor",
        ["swinv2"] = "ViTImageProcessor",
        ["swiftformer"] = "ViTImageProcessor",
        ["dinat"] = "ViTImageProcessor",
        ["deit"] = "DeiTImageProcessor",
        ["beit"] = "BeitImageProcessor",
        ["data2vec-vision"] = "BeitImageProcessor",
        ["convnext"] = "ConvNextImageProcessor",
        ["convnextv2"] = "ConvNextImageProcessor",
        ["cvt"] = "ConvNextImageProcessor",
        ["regnet"] = "ConvNextImageProcessor",
        ["resnet"] = "ConvNextImageProcessor",
        ["bit"] = "BitImageProcessor",
        ["dinov2"] = "BitImageProcessor",
        ["dinov2_with_registers"] = "BitImageProcessor",
        ["focalnet"] = "BitImageProcessor",
        ["hiera"] = "BitImageProcessor",
        ["clip"] = "CLIPImageProcessor",
        ["siglip"] = "SiglipImageProcessor",
        ["dinov3_convnext"] = "DINOv3ViTImageProcessor",
        ["dinov3_vit"] = "DINOv3ViTImageProcessor",
        ["efficientnet"] = "EfficientNetImageProcessor",
        ["mobilenet_v1"] = "MobileNetV1ImageProcessor",
        ["mobilenet_v2"] = "MobileNetV2ImageProcessor",
        ["mobilevit"] = "MobileViTImageProcessor",
        ["mobilevitv2"] = "MobileViTImageProcessor",
        ["levit"] = "LevitImageProcessor",
        ["poolformer"] = "PoolFormerImageProcessor",
        ["pvt"] = "PvtImageProcessor",
        ["pvt_v2"] = "PvtImageProcessor",
        ["segformer"] = "SegformerImageProcessor",
    };

    private static ImageProcessor Square(int side, Interpolation resample, ValueList<double> mean, ValueList<double> std) =>
        new() { Size = (side, side), Resample = resample, ImageMean = mean, ImageStd = std };

    private static ImageProcessor Shortest(int side, Interpolation resample, ValueList<double> mean, ValueList<double> std) =>
        Square(side, resample, mean, std) with { Size = side, DefaultToSquare = false };
}
