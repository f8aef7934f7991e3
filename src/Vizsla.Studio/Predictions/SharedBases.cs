using Vizsla.Adapters;
using Vizsla.Models;

namespace Vizsla.Studio.Predictions;

/// <summary>Loads models, adapters of one base model with that model's weights in memory once.</summary>
/// <param name="models">Every model that is going to be loaded, once each.</param>
internal sealed class SharedBases(IReadOnlyList<ServedModel> models)
{
    private readonly Lock _loading = new();
    private readonly Dictionary<string, (ImageClassifier Base, int Left)> _loaded = new(StringComparer.Ordinal);

    /// <summary>Loads a model.</summary>
    /// <param name="model">One of those of the constructor.</param>
    /// <param name="labels">Class names in order; null takes the model's own.</param>
    public ImageClassifier Open(ServedModel model, IReadOnlyList<string>? labels)
    {
        if (labels is not null || BaseOf(model) is not { } name || models.Count(m => BaseOf(m) == name) is var users && users < 2)
        {
            return ImageClassifier.FromPretrained(model.NameOrFolder, labels, baseModel: model.BaseModel);
        }

        lock (_loading)
        {
            var (shared, left) = _loaded.TryGetValue(name, out var entry) ? entry : (Load(name), users);
            var opened = shared.WithAdapter(model.NameOrFolder);
            _loaded[name] = (shared, left - 1);
            if (left == 1)
            {
                // The adapters hold the weights from here on.
                _loaded.Remove(name);
                shared.Dispose();
            }

            return opened;
        }
    }

    private static string? BaseOf(ServedModel model)
    {
        if (AdapterFolder.Find(model.NameOrFolder, "main") is not { } folder)
        {
            return null;
        }

        var config = AdapterConfig.Load(folder);
        return config.Revision is null or "main" ? model.BaseModel ?? AdapterFolder.BaseOf(config, folder) : null;
    }

    // An encoder without a head serves adapters that bring one.
    private static ImageClassifier Load(string name)
    {
        try
        {
            return ImageClassifier.FromPretrained(name);
        }
        catch (ModelLoadException e) when (e.Report is { Missing.Count: > 0 })
        {
            return ImageClassifier.FromPretrained(name, ["0", "1"], ignoreMismatchedSizes: true);
        }
    }
}
