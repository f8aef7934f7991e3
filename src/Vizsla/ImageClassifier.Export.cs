using Vizsla.Export;

namespace Vizsla;

/// <content>To ONNX.</content>
public sealed partial class ImageClassifier
{
    /// <summary>Writes the network as an ONNX file that computes the same scores without libtorch.</summary>
    /// <param name="folder">A folder, made where it is missing; it receives <c>model.onnx</c>, <c>model_fp16.onnx</c> or <c>model_quantized.onnx</c>, and <c>FILE_data</c> beside a file above 2 GB.</param>
    /// <param name="precision">How the weights are stored; float32 by default.</param>
    /// <returns>The path of the model file. Input <c>pixel_values</c>, float [batch_size, num_channels, height, width], preprocessed; output <c>logits</c>, float [batch_size, L].</returns>
    /// <exception cref="NotSupportedException">An operation of the network has no counterpart in ONNX, or a weight is beyond float16; the message names it.</exception>
    /// <remarks>Source: optimum's <c>main_export(task="image-classification")</c>: the same names, opset 18, IR version 8. Parity: logits 1e-4 of the largest.</remarks>
    public string ExportOnnx(string folder, OnnxPrecision precision = OnnxPrecision.Float32)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var model = OnnxExport.Make(Network, PictureSize, precision);
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, OnnxExport.FileName(precision));
        // The data file is named inside the model, so both are written under their own names in a folder of their own and moved.
        var temporary = Directory.CreateTempSubdirectory("onnx-export-");
        try
        {
            foreach (var written in model.Save(Path.Combine(temporary.FullName, Path.GetFileName(file))).Reverse())
            {
                var target = Path.Combine(folder, Path.GetFileName(written));
                File.Copy(written, target + ".tmp", overwrite: true);
                File.Move(target + ".tmp", target, overwrite: true);
            }
        }
        finally
        {
            temporary.Delete(recursive: true);
        }

        return file;
    }

    // What the processor makes of a picture; the model's own size where that depends on the picture.
    private (int Channels, int Height, int Width) PictureSize =>
        Processor.ToPipeline().OutputSize is { } size ? size : (3, Configuration.Size("image_size", DefaultImageSize).Height, Configuration.Size("image_size", DefaultImageSize).Width);

    private const int DefaultImageSize = 224;
}
