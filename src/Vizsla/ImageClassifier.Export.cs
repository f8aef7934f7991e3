using System.Text.Json.Nodes;
using TorchSharp;
using Vizsla.Export;
using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla;

/// <content>To ONNX.</content>
public sealed partial class ImageClassifier
{
    private const int ObservedAtOnce = 8;

    /// <summary>Writes the network as an ONNX file that computes the same scores without libtorch.</summary>
    /// <param name="folder">A folder, made where it is missing; it receives <c>model.onnx</c>, <c>model_fp16.onnx</c> or <c>model_quantized.onnx</c>, and <c>FILE_data</c> beside a file above 2 GB.</param>
    /// <param name="precision">How the weights are stored; float32 by default.</param>
    /// <param name="calibration">
    /// For int8: pictures like those to come, one to three hundred of the training split, which tell the ranges that convolutions are computed in; not disposed. Null leaves convolutions in float32.
    /// </param>
    /// <returns>The path of the model file, whose metadata has labels and preprocessing. Input <c>pixel_values</c>, float [batch_size, num_channels, height, width], preprocessed; output <c>logits</c>, float [batch_size, L].</returns>
    /// <exception cref="NotSupportedException">An operation of the network has no counterpart in ONNX, or a weight is beyond float16; the message names it.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    /// <remarks>Source: optimum's <c>main_export(task="image-classification")</c>: the same names, opset 18, IR version 8. Parity: logits 1e-4 of the largest.</remarks>
    public string ExportOnnx(string folder, OnnxPrecision precision = OnnxPrecision.Float32, IEnumerable<Image>? calibration = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var export = StartExport();
        if (precision == OnnxPrecision.Int8 && calibration is not null)
        {
            Observe(export, calibration);
        }

        return export.Make(precision).SaveWhole(Path.Combine(folder, OnnxExport.FileName(precision)));
    }

    /// <summary>Records the network, to be made into files.</summary>
    internal OnnxExport StartExport()
    {
        ThrowIfDisposed();
        var export = new OnnxExport(Network, PictureSize);

        // As the two kinds of folders have it, so that a file alone can be used.
        export.Say("preprocessor_config", (Processor.PretrainedCfg is { } timm ? new JsonObject { ["pretrained_cfg"] = JsonNode.Parse(timm) } : Processor.ToJson()).ToJsonString());
        return export;
    }

    /// <summary>Shows pictures to a network that was recorded.</summary>
    internal void Observe(OnnxExport export, IEnumerable<Image> pictures)
    {
        var pipeline = Processor.ToPipeline();
        foreach (var some in pictures.Select(picture => pipeline.Run(picture, new Rng(0))).Chunk(ObservedAtOnce))
        {
            try
            {
                using var scope = torch.NewDisposeScope();
                foreach (var alike in some.GroupBy(t => (t.Height, t.Width)))
                {
                    var batch = torch.stack([.. alike.Select(t => torch.tensor(t.Values.ToArray(), [t.Channels, t.Height, t.Width]))]);
                    export.Observe(batch);
                }
            }
            finally
            {
                Array.ForEach(some, t => t.Dispose());
            }
        }
    }

    // What the processor makes of a picture; the model's own size where that depends on the picture.
    private (int Channels, int Height, int Width) PictureSize =>
        Processor.ToPipeline().OutputSize is { } size ? size : (3, Configuration.Size("image_size", DefaultImageSize).Height, Configuration.Size("image_size", DefaultImageSize).Width);

    private const int DefaultImageSize = 224;
}
