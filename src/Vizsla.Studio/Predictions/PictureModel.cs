using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Models;

namespace Vizsla.Studio.Predictions;

/// <summary>What a server needs of a model: pictures to floats on any thread, floats to logits on one.</summary>
internal abstract class PictureModel : IDisposable
{
    /// <summary>Class names in the order of the logits.</summary>
    public abstract IReadOnlyList<string> Labels { get; }

    /// <summary>How logits become scores when a request does not say.</summary>
    public abstract ScoreFunction DefaultFunction { get; }

    /// <summary>The picture as the model takes it; safe for several threads.</summary>
    /// <param name="image">An upright RGB picture; not disposed.</param>
    /// <returns>Float [3, H, W]; the caller owns it.</returns>
    public abstract ImageTensor Prepare(Image image);

    /// <summary>One forward pass; only one thread at a time.</summary>
    /// <param name="pictures">Floats of equal shapes; not disposed.</param>
    /// <returns>One row of logits per picture.</returns>
    public abstract float[][] Logits(IReadOnlyList<ImageTensor> pictures);

    /// <summary>How the model is explained; null for one that is not.</summary>
    public virtual ExplanationMethod? Method => null;

    /// <summary>The picture as the model sees it; safe for several threads.</summary>
    /// <param name="image">An upright RGB picture; not disposed.</param>
    /// <returns>A new picture.</returns>
    public virtual Image Seen(Image image) => image.Clone();

    /// <summary>Where the model looked; safe beside <see cref="Logits"/>.</summary>
    /// <param name="image">An upright RGB picture; not disposed.</param>
    /// <param name="classIndex">The class to explain; null takes the likeliest.</param>
    /// <exception cref="NotSupportedException"><see cref="Method"/> is null.</exception>
    public virtual PictureExplanation Explain(Image image, int? classIndex) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives the weights back.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>A model that is served: its name in addresses, and how to open it.</summary>
/// <param name="Name">Letters, digits, '.', '-' and '_'.</param>
/// <param name="Open">Loads the model; slow.</param>
/// <param name="State">What tells the files of the model from those that may replace them; null while there are none, and for a model that is never replaced.</param>
internal sealed record ModelEntry(string Name, Func<PictureModel> Open, Func<string?> State)
{
    /// <summary>A classifier in files, on the engine that was asked for.</summary>
    /// <param name="model">Its name, where it is, and what computes it.</param>
    /// <param name="bases">Shares base models; null loads each model by itself.</param>
    public static ModelEntry OfFiles(ServedModel model, SharedBases? bases = null) =>
        new(model.Name, () => ExportedClassifier.Choose(model) is { } file ? ExportedClassifier.Open(file, model.LabelsFile) : ClassifierModel.Open(model, bases ?? new SharedBases([])), () => StateOf(model));

    /// <summary>What tells the files that would be read now from others; null where there are none.</summary>
    private static string? StateOf(ServedModel model)
    {
        try
        {
            return (Directory.Exists(model.NameOrFolder) ? model.NameOrFolder : HubCache.Find(model.NameOrFolder)) is { } folder
                ? string.Join('\n', ModelFolder.Files(folder)
                    .Concat(model.Engine == InferenceEngine.Torch ? [] : EngineChoice.Files(folder))
                    .Concat(model.LabelsFile is { } labels ? [labels] : [])
                    .Select(f => new FileInfo(f)).Select(f => Invariant($"{f.FullName} {f.Length} {f.LastWriteTimeUtc.Ticks}")))
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // They are being replaced at this moment.
            return null;
        }
    }

    /// <summary>Makes a name fit for an address: the last part of a path or Hub name, other characters as '-'.</summary>
    public static string NameOf(string nameOrFolder)
    {
        var last = Path.TrimEndingDirectorySeparator(nameOrFolder.Replace('\\', '/')).Split('/')[^1];
        var name = string.Concat(last.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '-')).Trim('.');
        return name.Length > 0 ? name : "model";
    }
}
