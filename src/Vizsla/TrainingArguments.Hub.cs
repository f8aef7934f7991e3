using Vizsla.Hub;

namespace Vizsla;

/// <content>What goes to a Hub while a run trains.</content>
public sealed partial record TrainingArguments
{
    /// <summary>Whether the run is pushed to the Hub, beside its training and at its end. Default false.</summary>
    public bool PushToHub { get; init; }

    /// <summary>Repository, <c>owner/name</c> or a name alone, made where it is missing; null, the default, is the name of the run folder.</summary>
    public string? HubModelId { get; init; }

    /// <summary>The repository as it was asked for: <see cref="HubModelId"/>, else the name of the run folder.</summary>
    internal string HubRepository => HubModelId ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(OutputDir)));

    /// <summary>What is pushed when. Default every_save.</summary>
    public HubStrategy HubStrategy { get; init; } = HubStrategy.EverySave;

    /// <summary>Access token that may write; null, the default, is that of <c>vizsla login</c> or <c>HF_TOKEN</c>. Written nowhere, and refused as a flag.</summary>
    public HubToken? HubToken { get; init; }

    /// <summary>Whether a repository that is made is private; null, the default, leaves it to its owner's settings.</summary>
    public bool? HubPrivateRepo { get; init; }

    /// <summary>Whether a save is pushed even where the push before is still under way; else it is left out. Default false.</summary>
    public bool HubAlwaysPush { get; init; }

    /// <summary>Branch to commit to, made where it is missing; null, the default, is <c>main</c>.</summary>
    public string? HubRevision { get; init; }
}
