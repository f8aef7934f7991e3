using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Reads image processors of every age: transformers 5, 4 (slow and fast), and the feature extractors before them.</summary>
internal static class ImageProcessorReader
{
    /// <summary>The file of a processor.</summary>
    public const string FileName = "preprocessor_config.json";

    private const string NestedFileName = "processor_config.json";
    private const string ModelFileName = "config.json";

    // Keys that steer a Python call and say nothing about the pictures.
    private static readonly HashSet<string> Dropped =
    [
        "data_format", "default_to_square", "device", "disable_grouping", "input_data_format", "return_tensors", "_valid_processor_keys",
        "feature_extractor_type", "image_processor_type", "image_seq_length", "reduce_labels",
    ];

    /// <summary>Reads a folder's processor.</summary>
    public static ImageProcessor FromFolder(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var model = ReadObject(Path.Combine(folder, ModelFileName));
        var modelType = model?["model_type"] is JsonValue value && value.TryGetValue<string>(out var name) ? name : null;
        var nestedPath = Path.Combine(folder, NestedFileName);
        if (ReadObject(nestedPath)?["image_processor"] is JsonObject nested)
        {
            return FromJson(nested, nestedPath, modelType);
        }

        var path = Path.Combine(folder, FileName);
        if (ReadObject(path) is { } configuration)
        {
            return FromJson(configuration, path, modelType);
        }

        if (model?["pretrained_cfg"] is JsonObject pretrainedCfg)
        {
            return TimmProcessor.Read(pretrainedCfg);
        }

        return modelType is not null && ProcessorFamily.ByModelType.TryGetValue(modelType, out var family)
            ? ProcessorFamily.All[family].Defaults
            : throw new FileNotFoundException(
                $"No image processor in '{folder}': expected {FileName}, {NestedFileName}, or a {ModelFileName} with a known model_type or a pretrained_cfg.", path);
    }

    /// <summary>Reads a processor's object.</summary>
    /// <param name="json">The object.</param>
    /// <param name="file">Its file, for messages.</param>
    /// <param name="modelType">The model's type, for an object that names no processor.</param>
    public static ImageProcessor FromJson(JsonObject json, string file, string? modelType)
    {
        ArgumentNullException.ThrowIfNull(json);
        var keys = new JsonFields(json, file);
        var family = FindFamily(keys, modelType);
        var processor = family.Defaults;
        var crop = keys.Size("crop_size", defaultToSquare: true);
        processor = processor with
        {
            DoResize = keys.Flag("do_resize") ?? processor.DoResize,
            Size = keys.Size("size", processor.DefaultToSquare) ?? processor.Size,
            Resample = keys.Filter("resample") ?? processor.Resample,
            DoCenterCrop = keys.Flag("do_center_crop") ?? processor.DoCenterCrop,
            CropSize = crop is { } given ? new ImageSize(given.Height, given.Width) : processor.CropSize,
            CropPct = keys.Number("crop_pct") ?? processor.CropPct,
            DoRescale = keys.Flag("do_rescale") ?? processor.DoRescale,
            RescaleFactor = keys.Number("rescale_factor") ?? processor.RescaleFactor,
            RescaleOffset = keys.Flag("rescale_offset") ?? processor.RescaleOffset,
            DoNormalize = keys.Flag("do_normalize") ?? processor.DoNormalize,
            ImageMean = keys.Numbers("image_mean") ?? processor.ImageMean,
            ImageStd = keys.Numbers("image_std") ?? processor.ImageStd,
            IncludeTop = keys.Flag("include_top") ?? processor.IncludeTop,
            DoFlipChannelOrder = keys.Flag("do_flip_channel_order") ?? processor.DoFlipChannelOrder,
            DoConvertRgb = keys.Flag("do_convert_rgb") ?? processor.DoConvertRgb,
            DoReduceLabels = keys.Flag("do_reduce_labels") ?? keys.Flag("reduce_labels") ?? processor.DoReduceLabels,
        };
        if (keys.Flag("do_pad") == true)
        {
            throw new InvalidDataException($"'{file}': do_pad is true, and padding to a common size is not supported; set it to false and resize to a fixed size.");
        }

        if (processor.CropPct is not (null or (> 0 and <= 1)))
        {
            throw new InvalidDataException(FormattableString.Invariant($"'{file}': crop_pct is {processor.CropPct}, expected a share above 0 and up to 1."));
        }

        foreach (var (key, values) in new[] { ("image_mean", processor.ImageMean), ("image_std", processor.ImageStd) })
        {
            if (values.Count is not (1 or 3) || (key == "image_std" && values.Contains(0)))
            {
                throw new InvalidDataException($"'{file}': {key} is [{string.Join(", ", values.Select(v => PythonJson.Repr(v)))}], expected one number or three{(key == "image_std" ? ", none of them 0" : "")}.");
            }
        }

        processor = processor with { OtherKeys = keys.Rest(Dropped) };
        try
        {
            _ = processor.ToPipeline();
        }
        catch (Exception exception) when (exception is ArgumentException or ArithmeticException or InvalidOperationException)
        {
            throw new InvalidDataException($"'{file}' cannot be run. {ErrorSentence.Of(exception)}", exception);
        }

        return processor;
    }

    private static ProcessorFamily FindFamily(JsonFields keys, string? modelType)
    {
        var given = keys.Text("image_processor_type") ?? keys.Text("feature_extractor_type");
        if (given is null)
        {
            var byModel = modelType is null ? null : ProcessorFamily.ByModelType.GetValueOrDefault(modelType);
            return ProcessorFamily.All[byModel ?? "ViTImageProcessor"];
        }

        var name = given.Replace("FeatureExtractor", "ImageProcessor", StringComparison.Ordinal);
        foreach (var backend in (string[])["Fast", "Pil"])
        {
            name = name.EndsWith(backend, StringComparison.Ordinal) ? name[..^backend.Length] : name;
        }

        return ProcessorFamily.All.GetValueOrDefault(name) ?? throw new InvalidDataException(
            $"'{keys.File}': image processor '{given}' is not known. Known: {string.Join(", ", ProcessorFamily.All.Keys.Order(StringComparer.Ordinal))}."
            + Suggestion.DidYouMean(name, ProcessorFamily.All.Keys));
    }

    private static JsonObject? ReadObject(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return PythonJson.Parse(File.ReadAllText(path)) as JsonObject ?? throw new InvalidDataException($"'{path}' holds no JSON object.");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"'{path}' is not JSON: {exception.Message}", exception);
        }
    }
}
