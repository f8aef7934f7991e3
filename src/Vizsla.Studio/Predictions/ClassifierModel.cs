using Vizsla.Hub;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Models;

namespace Vizsla.Studio.Predictions;

/// <summary>A loaded classifier with its preprocessing.</summary>
internal sealed class ClassifierModel : PictureModel
{
    private readonly ImageClassifier _classifier;
    private readonly PicturePredictor _predictor;
    private readonly IDisposable _folding;
    private readonly Lock _explaining = new();

    private ClassifierModel(ImageClassifier classifier, TestTimeAugmentation? augmentation)
    {
        _classifier = classifier;
        _predictor = new PicturePredictor(classifier.Network, classifier.Processor.ToPipeline(), options: new() { Augmentation = augmentation });
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
    /// <param name="augmentation">Views of each picture whose logits are averaged; null takes the picture alone.</param>
    /// <exception cref="ArgumentException">The model's pipeline does not allow these views.</exception>
    /// <exception cref="ModelLoadException">There is no such model, or it has no classifier.</exception>
    public static PictureModel Open(string nameOrFolder, string? labelsFile = null, TestTimeAugmentation? augmentation = null) =>
        Open(new ServedModel(nameOrFolder, nameOrFolder, labelsFile, augmentation), new SharedBases([]));

    /// <summary>Loads one of several models, see <see cref="SharedBases"/>.</summary>
    /// <exception cref="ArgumentException">The model's pipeline does not allow the views.</exception>
    /// <exception cref="ModelLoadException">There is no such model, or it has no classifier.</exception>
    public static PictureModel Open(ServedModel model, SharedBases bases)
    {
        var labels = model.LabelsFile is { } file ? LabelsFile.Read(file) : null;
        var augmentation = model.Augmentation;
        var classifier = bases.Open(model, labels);
        try
        {
            classifier.RequireHead();
            return new ClassifierModel(classifier, augmentation);
        }
        catch
        {
            classifier.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override ImageTensor Prepare(Image image) => _predictor.Prepare(image);

    /// <inheritdoc/>
    public override float[][] Logits(IReadOnlyList<ImageTensor> pictures) => _predictor.Logits(pictures);

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
            lock (_explaining)
            {
                _folding.Dispose();
                _classifier.Dispose();
            }
        }

        base.Dispose(disposing);
    }
}
