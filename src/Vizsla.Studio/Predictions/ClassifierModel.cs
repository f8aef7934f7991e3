using TorchSharp;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Primitives;
using Vizsla.Transforms;
using static TorchSharp.torch;

namespace Vizsla.Studio.Predictions;

/// <summary>A loaded classifier with its preprocessing.</summary>
// Shapes: B batch, H height, W width, L labels.
internal sealed class ClassifierModel : PictureModel
{
    private readonly ImageClassifier _classifier;
    private readonly Compose _pipeline;
    private readonly PicturePredictor _predictor;
    private readonly IDisposable _folding;
    private readonly Lock _explaining = new();

    private ClassifierModel(ImageClassifier classifier)
    {
        _classifier = classifier;
        _pipeline = classifier.Processor.ToPipeline();
        _predictor = new PicturePredictor(classifier.Network, _pipeline);
        _folding = classifier.Network.FoldForPrediction();
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Labels => _classifier.Labels;

    /// <inheritdoc/>
    public override ScoreFunction DefaultFunction => Scores.DefaultFunction(_classifier.Labels.Count, _classifier.Configuration.ProblemType);

    /// <inheritdoc/>
    public override ExplanationMethod? Method =>
        _classifier.Network.AttendsGlobally ? ExplanationMethod.AttentionRollout : ExplanationMethod.GradCam;

    /// <summary>Loads a model.</summary>
    /// <param name="nameOrFolder">Run folder, timm folder, or Hub name in the cache.</param>
    /// <param name="labelsFile">JSON file with the class names in order; null takes the model's own.</param>
    public static PictureModel Open(string nameOrFolder, string? labelsFile = null)
    {
        var labels = labelsFile is null ? null : LabelsFile.Read(labelsFile);
        return new ClassifierModel(ImageClassifier.FromPretrained(nameOrFolder, labels));
    }

    /// <inheritdoc/>
    public override ImageTensor Prepare(Image image) => _pipeline.Run(image, new Rng(0));

    /// <inheritdoc/>
    public override float[][] Logits(IReadOnlyList<ImageTensor> pictures)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        using var batch = Stack(pictures);                              // [B, 3, H, W]
        var logits = _classifier.Network.forward(batch).to(float32);    // [B, L]
        var values = logits.cpu().data<float>().ToArray();
        var width = checked((int)logits.shape[1]);
        return [.. values.Chunk(width)];
    }

    /// <inheritdoc/>
    public override Image Seen(Image image) => _predictor.Seen(image);

    /// <inheritdoc/>
    public override PictureExplanation Explain(Image image, int? classIndex)
    {
        // Beside the thread that answers requests; one at a time, since gradients take memory.
        lock (_explaining)
        {
            return _predictor.Explain(image, classIndex);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _folding.Dispose();
            _classifier.Dispose();
        }

        base.Dispose(disposing);
    }

    private static Tensor Stack(IReadOnlyList<ImageTensor> pictures)
    {
        var (channels, height, width) = (pictures[0].Channels, pictures[0].Height, pictures[0].Width);
        var size = channels * height * width;
        var values = new float[pictures.Count * size];
        for (var i = 0; i < pictures.Count; i++)
        {
            pictures[i].Values.CopyTo(values.AsSpan(i * size));
        }

        return tensor(values, [pictures.Count, channels, height, width]);
    }
}
