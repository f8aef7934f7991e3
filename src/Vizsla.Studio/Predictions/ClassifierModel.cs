using Vizsla.Imaging;

namespace Vizsla.Studio.Predictions;

internal abstract class ClassifierModel : PictureModel
{
    public static PictureModel Open(string nameOrFolder, string? labelsFile = null) => throw new NotSupportedException(nameOrFolder + labelsFile);
}
