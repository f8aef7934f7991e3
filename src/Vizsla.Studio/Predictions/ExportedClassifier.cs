using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Onnx;
using Vizsla.Primitives;

namespace Vizsla.Studio.Predictions;

/// <summary>A classifier that was exported, in ONNX Runtime; it cannot tell where it looked.</summary>
internal sealed class ExportedClassifier(OnnxClassifier classifier) : PictureModel
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> Labels => classifier.Labels;

    /// <inheritdoc/>
    public override ScoreFunction DefaultFunction => classifier.Function;

    /// <summary>The exported file that a model is computed from; null for one that is computed from its weights.</summary>
    /// <exception cref="ArgumentException">ONNX Runtime was asked for what an exported file cannot do.</exception>
    /// <exception cref="OnnxModelException">An exported file was asked for, and there is none or the weights beside it are newer.</exception>
    public static string? Choose(ServedModel model)
    {
        if (model.Augmentation is null && model.BaseModel is null)
        {
            return EngineChoice.Of(model.NameOrFolder, model.Engine, model.Precision).OnnxFile;
        }

        return model.Engine == InferenceEngine.Onnx
            ? throw new ArgumentException($"The model '{model.Name}' is asked for {(model.Augmentation is null ? "a base model" : "several views of each picture")}, which an exported file does not have; compute its weights with torch.")
            : null;
    }

    /// <summary>Loads an exported file.</summary>
    public static PictureModel Open(string file, string? labelsFile) =>
        new ExportedClassifier(OnnxClassifier.Load(file, new OnnxClassifierOptions { Labels = labelsFile is null ? null : LabelsFile.Read(labelsFile) }));

    /// <inheritdoc/>
    public override ImageTensor Prepare(Image image) => classifier.Prepare(image);

    /// <inheritdoc/>
    public override float[][] Logits(IReadOnlyList<ImageTensor> pictures) => classifier.ComputeLogits(pictures);

    /// <inheritdoc/>
    public override Image Seen(Image image)
    {
        var seen = classifier.Processor?.ToPipeline().Apply(image, new Rng(0)) ?? image;
        return ReferenceEquals(seen, image) ? image.Clone() : seen;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            classifier.Dispose();
        }

        base.Dispose(disposing);
    }
}
