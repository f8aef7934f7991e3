using Vizsla.Export;
using Vizsla.Inference;

namespace Vizsla.Studio;

/// <summary>A model to serve.</summary>
/// <param name="Name">Its name in addresses: letters, digits, '.', '-' and '_'.</param>
/// <param name="NameOrFolder">Run folder, timm folder, or Hub name in the cache.</param>
/// <param name="LabelsFile">JSON file with the class names in order (a list, or an object from index to name); null takes the model's own.</param>
/// <param name="Augmentation">Views of each picture whose logits are averaged; null takes the picture alone. Option: <c>--tta</c>.</param>
/// <remarks>Adapters of one base model share its weights in memory.</remarks>
internal sealed record ServedModel(string Name, string NameOrFolder, string? LabelsFile = null, TestTimeAugmentation? Augmentation = null)
{
    /// <summary>Folder or Hub name of the model that an adapter changes; null takes the one that its <c>adapter_config.json</c> names. Option: <c>--base_model</c>.</summary>
    public string? BaseModel { get; init; }

    /// <summary>Whether a calibration in its folder is used: its temperature for the scores.</summary>
    public bool UsesCalibration { get; init; }

    /// <summary>What computes it. Default: <see cref="InferenceEngine.Auto"/>. Option: <c>--engine</c>.</summary>
    public InferenceEngine Engine { get; init; }

    /// <summary>Which exported file <see cref="InferenceEngine.Onnx"/> takes. Default: float32, <c>onnx/model.onnx</c>. Option: <c>--dtype</c>.</summary>
    public OnnxPrecision Precision { get; init; }
}
