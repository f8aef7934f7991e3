using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Models;
using Vizsla.Native;
using Vizsla.Transforms;

namespace Vizsla.Studio.Predictions;

/// <summary>A loaded classifier with its preprocessing.</summary>
internal sealed class ClassifierModel : IBatchClassifier
{
    private readonly ImageClassifier _classifier;
    private readonly PicturePredictor _predictor;
    private readonly IDisposable _folding;
    private readonly ILogger _logger;
    private readonly Lock _explaining = new();

    private ClassifierModel(ImageClassifier classifier, TestTimeAugmentation? augmentation, Calibration? calibration, ILogger logger)
    {
        (_classifier, _logger, Calibration) = (classifier, logger, calibration);
        _predictor = new PicturePredictor(classifier.Network, classifier.Processor.ToPipeline(), options: new() { Augmentation = augmentation });
        _folding = classifier.Network.FoldForPrediction();
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Labels => _classifier.Labels;

    /// <inheritdoc/>
    public ScoreFunction Function => Scores.DefaultFunction(_classifier.Labels.Count, _classifier.Configuration.ProblemType);

    /// <summary>What was fitted for the model, whose temperature divides the logits here; null where nothing was, or for other weights.</summary>
    public Calibration? Calibration { get; }

    /// <summary>From a picture to what the network takes.</summary>
    public Compose Pipeline => _classifier.Processor.ToPipeline();

    /// <summary>How it is explained.</summary>
    public ExplanationMethod Method =>
        _classifier.Network.AttendsGlobally ? ExplanationMethod.AttentionRollout : ExplanationMethod.GradCam;

    /// <summary>Loads a model.</summary>
    /// <param name="nameOrFolder">Run folder, timm folder, or Hub name in the cache.</param>
    /// <param name="labelsFile">JSON file with the class names in order; null takes the model's own.</param>
    /// <param name="augmentation">Views of each picture whose logits are averaged; null takes the picture alone.</param>
    /// <exception cref="ArgumentException">The model's pipeline does not allow these views.</exception>
    /// <exception cref="ModelLoadException">There is no such model, or it has no classifier.</exception>
    public static ClassifierModel Open(string nameOrFolder, string? labelsFile = null, TestTimeAugmentation? augmentation = null) =>
        Open(new ServedModel(nameOrFolder, nameOrFolder, labelsFile, augmentation), new SharedBases([]), NullLogger.Instance);

    /// <summary>Loads one of several models, see <see cref="SharedBases"/>.</summary>
    /// <exception cref="ArgumentException">The model's pipeline does not allow the views.</exception>
    /// <exception cref="ModelLoadException">There is no such model, or it has no classifier.</exception>
    /// <param name="model">Which one.</param>
    /// <param name="bases">Shares base models.</param>
    /// <param name="logger">Told once where convolutions are not computed as libtorch does by itself.</param>
    public static ClassifierModel Open(ServedModel model, SharedBases bases, ILogger logger)
    {
        var labels = model.LabelsFile is { } file ? LabelsFile.Read(file) : null;
        var augmentation = model.Augmentation;
        var classifier = bases.Open(model, labels);
        try
        {
            classifier.RequireHead();
            Convolutions.Tell(logger);
            return new ClassifierModel(classifier, augmentation, model.UsesCalibration ? CalibrationOf(model.NameOrFolder, classifier) : null, logger);
        }
        catch
        {
            classifier.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ImageTensor Prepare(Image image) => _predictor.Prepare(image);

    /// <inheritdoc/>
    public IReadOnlyList<float[]> ComputeLogits(IReadOnlyList<ImageTensor> pictures)
    {
        var logits = _predictor.Logits(pictures);
        Convolutions.Tell(_logger);
        return Calibration is { Temperature: var temperature } ? [.. logits.Select(row => Array.ConvertAll(row, z => (float)(z / temperature)))] : logits;
    }

    /// <summary>Where the model looked; safe beside <see cref="ComputeLogits"/>.</summary>
    /// <param name="image">An upright RGB picture; not disposed.</param>
    /// <param name="classIndex">The class to explain; null takes the most likely.</param>
    public PictureExplanation Explain(Image image, int? classIndex)
    {
        // Beside the thread that answers requests; one at a time, since gradients take memory.
        lock (_explaining)
        {
            return _predictor.Explain(image, classIndex);
        }
    }

    // A calibration is an offer: one of other weights, or one that is damaged, takes no model away.
    private static Calibration? CalibrationOf(string nameOrFolder, ImageClassifier classifier)
    {
        try
        {
            return ServedModels.FolderOf(nameOrFolder) is { } folder && File.Exists(Path.Combine(folder, Calibration.FileName)) ? Calibration.Load(folder, classifier) : null;
        }
        catch (ModelLoadException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_explaining)
        {
            _folding.Dispose();
            _classifier.Dispose();
        }
    }
}
