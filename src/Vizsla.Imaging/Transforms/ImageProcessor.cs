using System.Text.Json.Nodes;
using Vizsla.Hub.Cache;
using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>How a model wants its pictures: the content of its <c>preprocessor_config.json</c>.</summary>
/// <remarks>
/// A value: <c>processor with { Size = (384, 384) }</c> is another processor. A bare <c>new ImageProcessor()</c> is the ViT's: 224 x 224, bilinear, mean and standard deviation 0.5.
/// Source: transformers <c>AutoImageProcessor</c>, Pillow backend. Parity: exact; keys that are not known are kept and written back.
/// </remarks>
public sealed partial record ImageProcessor
{
    /// <summary>The class in transformers, without <c>Fast</c> or <c>Pil</c>: <c>ViTImageProcessor</c> by default.</summary>
    public string ImageProcessorType { get; init; } = "ViTImageProcessor";

    /// <summary>Whether pictures are resized (<c>do_resize</c>); true by default.</summary>
    public bool DoResize { get; init; } = true;

    /// <summary>Height and width, or one number: the shorter side (<c>size</c>); pixels.</summary>
    public ImageSize Size { get; init; } = (224, 224);

    /// <summary>Filter (<c>resample</c>).</summary>
    public Interpolation Resample { get; init; } = Interpolation.Bilinear;

    /// <summary>Whether the middle is cut out after resizing (<c>do_center_crop</c>); null where the file does not say and the family does not crop.</summary>
    public bool? DoCenterCrop { get; init; }

    /// <summary>Size of the middle that is cut out (<c>crop_size</c>); null where there is none.</summary>
    public ImageSize? CropSize { get; init; }

    /// <summary>Share of the resized picture that the crop keeps (<c>crop_pct</c>: ConvNeXT, PoolFormer); null in other families.</summary>
    public double? CropPct { get; init; }

    /// <summary>Whether levels are multiplied by <see cref="RescaleFactor"/> (<c>do_rescale</c>); true by default.</summary>
    public bool DoRescale { get; init; } = true;

    /// <summary>Factor of a level (<c>rescale_factor</c>); 1/255 by default.</summary>
    public double RescaleFactor { get; init; } = 1.0 / 255;

    /// <summary>Whether 1 is subtracted after rescaling (<c>rescale_offset</c>: EfficientNet); null in other families.</summary>
    public bool? RescaleOffset { get; init; }

    /// <summary>Whether floats are normalized (<c>do_normalize</c>); true by default, null (not) in MobileViT.</summary>
    public bool? DoNormalize { get; init; } = true;

    /// <summary>Mean per channel (<c>image_mean</c>), in the unit of the rescaled levels.</summary>
    public ValueList<double> ImageMean { get; init; } = [0.5, 0.5, 0.5];

    /// <summary>Standard deviation per channel (<c>image_std</c>), in the unit of the rescaled levels.</summary>
    public ValueList<double> ImageStd { get; init; } = [0.5, 0.5, 0.5];

    /// <summary>Whether floats are divided by the standard deviation once more (<c>include_top</c>: EfficientNet); null in other families.</summary>
    public bool? IncludeTop { get; init; }

    /// <summary>Whether red and blue change places (<c>do_flip_channel_order</c>: MobileViT); null in other families.</summary>
    public bool? DoFlipChannelOrder { get; init; }

    /// <summary>Whether transformers converts pictures to RGB itself (<c>do_convert_rgb</c>); here every picture is RGB.</summary>
    public bool? DoConvertRgb { get; init; }

    /// <summary>A key of segmentation that some families write (<c>do_reduce_labels</c>); without effect here.</summary>
    public bool? DoReduceLabels { get; init; }

    /// <summary>Configuration of a timm model that this processor was made of, as JSON; null for processors of transformers.</summary>
    public string? PretrainedCfg { get; init; }

    /// <summary>Keys of the file that mean nothing here, with their JSON: kept and written back.</summary>
    public ValueList<KeyValuePair<string, string>> OtherKeys { get; init; } = [];

    /// <summary>Whether one number for <c>size</c> means a square in this family.</summary>
    internal bool DefaultToSquare { get; init; } = true;

    /// <summary>Reads the processor of a model folder.</summary>
    /// <param name="folder">A folder with <c>preprocessor_config.json</c>, <c>processor_config.json</c>, or a <c>config.json</c> whose <c>model_type</c> or <c>pretrained_cfg</c> says enough.</param>
    /// <exception cref="FileNotFoundException">The folder has none of them.</exception>
    /// <exception cref="InvalidDataException">A file says something invalid; the message names the file and the key.</exception>
    public static ImageProcessor FromPretrained(string folder) => ImageProcessorReader.FromFolder(folder);

    /// <summary>Reads the content of a <c>preprocessor_config.json</c>.</summary>
    /// <param name="configuration">The JSON object.</param>
    /// <exception cref="InvalidDataException">The object says something invalid; the message names the key.</exception>
    public static ImageProcessor FromJson(JsonObject configuration) => ImageProcessorReader.FromJson(configuration, "preprocessor_config.json", modelType: null);

    /// <summary>The processor of a timm model in evaluation.</summary>
    /// <param name="pretrainedCfg">timm's <c>pretrained_cfg</c>: <c>input_size</c>, <c>interpolation</c>, <c>crop_pct</c>, <c>crop_mode</c>, <c>mean</c>, <c>std</c>; what is missing has timm's default.</param>
    /// <remarks>Source: timm <c>resolve_data_config</c>, <c>transforms_imagenet_eval</c>. Parity: exact.</remarks>
    /// <exception cref="InvalidDataException">The configuration asks for something that is not supported.</exception>
    public static ImageProcessor FromTimm(JsonObject pretrainedCfg) => TimmProcessor.Read(pretrainedCfg);

    /// <summary>Writes <c>preprocessor_config.json</c> as transformers 5 does; a timm processor writes nothing, its configuration stands in <c>config.json</c>.</summary>
    /// <param name="folder">An existing folder; the file is replaced as a whole.</param>
    public void Save(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (PretrainedCfg is not null)
        {
            return;
        }

        AtomicFile.Write(Path.Combine(folder, ImageProcessorReader.FileName), PythonJson.Serialize(ToJson()) + "\n");
    }

    /// <summary>The content of <c>preprocessor_config.json</c>.</summary>
    public JsonObject ToJson() => ImageProcessorWriter.ToJson(this);

    /// <summary>The steps from an RGB picture to the model's floats.</summary>
    public Compose ToPipeline() => new(PretrainedCfg is null ? ProcessorSteps.Of(this) : TimmProcessor.Steps(this));

    /// <summary>Prepares one picture; for many, keep <see cref="ToPipeline"/> and run that.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <returns><c>pixel_values</c> of one picture, float [3, H, W]; the caller owns it.</returns>
    public ImageTensor Process(Image image) => ToPipeline().Run(image, new Rng(0));
}
