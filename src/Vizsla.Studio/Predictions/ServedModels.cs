using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Vizsla.Inference;
using Vizsla.Models;
using Vizsla.Onnx;
using Vizsla.Serving.Queues;

namespace Vizsla.Studio.Predictions;

/// <summary>Models in files, for the queue.</summary>
internal static class ServedModels
{
    /// <summary>A model on the engine that was asked for, chosen each time it is opened.</summary>
    /// <param name="model">Its name, where it is, and what computes it.</param>
    /// <param name="bases">Shares base models; null loads the model by itself.</param>
    public static ModelEntry Entry(ServedModel model, SharedBases? bases = null) => new(
        model.Name,
        services => Exported(model) is { } file
            ? OnnxClassifier.Load(file, new OnnxClassifierOptions { Labels = model.LabelsFile is { } labels ? LabelsFile.Read(labels) : null })
            : ClassifierModel.Open(model, bases ?? new SharedBases([]), services.GetRequiredService<ILogger<ClassifierModel>>()),
        () => Files(model));

    /// <summary>The exported file that a model is computed from; null for one that is computed from its weights.</summary>
    /// <exception cref="ArgumentException">ONNX Runtime was asked for what an exported file cannot do.</exception>
    /// <exception cref="OnnxModelException">An exported file was asked for, and there is none or the weights beside it are newer.</exception>
    private static string? Exported(ServedModel model)
    {
        if (model.Augmentation is null && model.BaseModel is null)
        {
            return EngineChoice.Of(model.NameOrFolder, model.Engine, model.Precision).OnnxFile;
        }

        return model.Engine == InferenceEngine.Onnx
            ? throw new ArgumentException($"The model '{model.Name}' is asked for {(model.Augmentation is null ? "a base model" : "several views of each picture")}, which an exported file does not have; compute its weights with torch.")
            : null;
    }

    /// <summary>The folder of a model's files; null for a weight file, and for a name that the cache does not have.</summary>
    public static string? FolderOf(string nameOrFolder) => Directory.Exists(nameOrFolder) ? nameOrFolder : HubCache.Find(nameOrFolder);

    private static IEnumerable<string> Files(ServedModel model) => FolderOf(model.NameOrFolder) is { } folder
        ? ModelFolder.Files(folder).Concat(model.UsesCalibration && Path.Combine(folder, Calibration.FileName) is var calibration && File.Exists(calibration) ? [calibration] : []).Concat(model.Engine == InferenceEngine.Torch ? [] : EngineChoice.Files(folder)).Concat(model.LabelsFile is { } labels ? [labels] : [])
        : [];
}
