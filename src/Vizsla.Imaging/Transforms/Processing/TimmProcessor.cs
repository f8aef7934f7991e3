using System.Globalization;
using System.Text.Json.Nodes;
using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Image processors of timm models, from their <c>pretrained_cfg</c>.</summary>
/// <remarks>Source: timm <c>resolve_data_config</c>, <c>transforms_imagenet_eval</c>.</remarks>
internal static class TimmProcessor
{
    private const double DefaultCropPct = 0.875;
    private const string Source = "pretrained_cfg";

    /// <summary>Reads the configuration; the processor's size is that of the network's input.</summary>
    public static ImageProcessor Read(JsonObject pretrainedCfg)
    {
        ArgumentNullException.ThrowIfNull(pretrainedCfg);
        var keys = new JsonFields(pretrainedCfg, Source);
        var input = keys.Numbers("input_size") ?? [3, 224, 224];
        if (input.Count != 3 || input[0] != 3 || input.Skip(1).Any(side => side is < 1 or > JsonFields.LargestSide))
        {
            throw new InvalidDataException($"'{Source}': input_size is [{string.Join(", ", input.Select(v => v.ToString(CultureInfo.InvariantCulture)))}], expected [3, height, width] with sides of 1 to {JsonFields.LargestSide}.");
        }

        var mode = keys.Text("crop_mode") ?? "center";
        ImageSize size = ((int)input[1], (int)input[2]);
        var squash = mode == "squash";
        if (!squash && (mode != "center" || size.Height != size.Width))
        {
            throw new InvalidDataException($"'{Source}': crop_mode is '{mode}' with input_size {size}; supported are 'center' with a square input and 'squash'.");
        }

        var share = keys.Number("crop_pct") is { } given and not 0 ? given : DefaultCropPct;
        if (share is not (> 0 and <= 4) || size.Height / share < 1 || size.Width / share < 1)
        {
            throw new InvalidDataException(FormattableString.Invariant($"'{Source}': crop_pct is {share}, expected a share above 0 and up to 4."));
        }

        var (height, width) = ((int)Math.Floor(size.Height / share), (int)Math.Floor(size.Width / share));
        return new ImageProcessor
        {
            ImageProcessorType = "TimmWrapperImageProcessor",
            Size = squash ? (height, width) : height,
            Resample = keys.Filter("interpolation") ?? Interpolation.Bicubic,
            DoCenterCrop = true,
            CropSize = size,
            CropPct = share,
            ImageMean = keys.Numbers("mean") ?? [0.485, 0.456, 0.406],
            ImageStd = keys.Numbers("std") ?? [0.229, 0.224, 0.225],
            PretrainedCfg = PythonJson.Serialize(pretrainedCfg, indent: null),
        };
    }

    /// <summary>The steps, with torchvision's rounding of the crop and its division by 255.</summary>
    public static IEnumerable<Transform> Steps(ImageProcessor processor) =>
    [
        new Resize(processor.Size, processor.Resample),
        new CenterCrop(processor.CropSize ?? processor.Size),
        new ToTensor(),
        new Normalize(processor.ImageMean, processor.ImageStd),
    ];
}
