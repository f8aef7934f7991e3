using System.Text.Json.Nodes;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Writes image processors as transformers 5 does: only keys that are set.</summary>
internal static class ImageProcessorWriter
{
    public static JsonObject ToJson(ImageProcessor processor)
    {
        var json = new JsonObject
        {
            ["image_processor_type"] = processor.ImageProcessorType,
            ["do_resize"] = processor.DoResize,
            ["size"] = Size(processor.Size),
            ["resample"] = (int)processor.Resample,
            ["do_rescale"] = processor.DoRescale,
            ["rescale_factor"] = JsonValue.Create(processor.RescaleFactor),
            ["image_mean"] = Numbers(processor.ImageMean),
            ["image_std"] = Numbers(processor.ImageStd),
        };
        Add(json, "do_center_crop", processor.DoCenterCrop);
        Add(json, "do_normalize", processor.DoNormalize);
        Add(json, "do_convert_rgb", processor.DoConvertRgb);
        Add(json, "do_flip_channel_order", processor.DoFlipChannelOrder);
        Add(json, "do_reduce_labels", processor.DoReduceLabels);
        Add(json, "include_top", processor.IncludeTop);
        Add(json, "rescale_offset", processor.RescaleOffset);
        if (processor.CropSize is { } crop)
        {
            json["crop_size"] = Size(new ImageSize(crop.Height, crop.Width));
        }

        if (processor.CropPct is { } share)
        {
            json["crop_pct"] = JsonValue.Create(share);
        }

        foreach (var (key, value) in processor.OtherKeys)
        {
            json[key] = PythonJson.Parse(value);
        }

        return json;
    }

    private static void Add(JsonObject json, string key, bool? value)
    {
        if (value is { } set)
        {
            json[key] = set;
        }
    }

    private static JsonObject Size(ImageSize size) => size.IsSide
        ? new JsonObject { ["shortest_edge"] = size.Height }
        : new JsonObject { ["height"] = size.Height, ["width"] = size.Width };

    private static JsonArray Numbers(IEnumerable<double> numbers) => [.. numbers.Select(number => JsonValue.Create(number))];
}
