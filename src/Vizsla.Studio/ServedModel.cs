using Vizsla.Inference;

namespace Vizsla.Studio;

/// <summary>A model to serve.</summary>
/// <param name="Name">Its name in addresses: letters, digits, '.', '-' and '_'.</param>
/// <param name="NameOrFolder">Run folder, timm folder, or Hub name in the cache.</param>
/// <param name="LabelsFile">JSON file with the class names in order (a list, or an object from index to name); null takes the model's own.</param>
/// <param name="Augmentation">Views of each picture whose logits are averaged; null takes the picture alone. Option: <c>--tta</c>.</param>
public sealed record ServedModel(string Name, string NameOrFolder, string? LabelsFile = null, TestTimeAugmentation? Augmentation = null);
