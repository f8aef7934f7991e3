namespace Vizsla.Studio;

/// <summary>What the pages show.</summary>
public sealed class StudioOptions
{
    /// <summary>Folder whose sub-folders are runs (or which is a run itself); null shows none. Option: <c>--runs</c>.</summary>
    public string? Runs { get; set; }

    /// <summary>Models to choose from: run folders, Hub names in the cache, timm folders. Option: <c>--model</c>.</summary>
    public IReadOnlyList<string> Models { get; set; } = [];

    /// <summary>Dataset folder to browse; null shows the datasets of the runs alone. Option: <c>--dataset</c>.</summary>
    public string? Dataset { get; set; }

    /// <summary>Where to listen. The port's default is 7860.</summary>
    public HostOptions Host { get; } = new() { Port = 7860 };

    /// <summary>How the models answer.</summary>
    public ServingOptions Serving { get; } = new();
}
