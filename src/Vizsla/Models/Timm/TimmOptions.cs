using System.Text.Json.Nodes;
using Vizsla.Primitives;

namespace Vizsla.Models.Timm;

/// <summary>What timm's <c>config.json</c> says of a network, whatever its class.</summary>
/// <param name="Architecture">timm's name, such as <c>resnet50</c>.</param>
/// <param name="Channels">Channels of the pictures.</param>
/// <param name="ClassCount">Number of classes.</param>
/// <param name="Pooling">timm's name of the global pooling; null takes the class's.</param>
/// <param name="DropRate">Share of the features set to zero before the head, in training.</param>
/// <param name="DropPath">Share of the last block's branches left out, in training.</param>
/// <param name="ImageSize">Height and width that the network is made for.</param>
/// <remarks>Source: timm <c>create_model</c>, <c>save_for_hf</c>.</remarks>
internal sealed record TimmOptions(
    string Architecture, int Channels, int ClassCount, string? Pooling, double DropRate, double DropPath, (int Height, int Width) ImageSize)
{
    private const int DefaultChannels = 3;
    private const int DefaultSide = 224;

    /// <summary>Key of what a configuration gives the class beside the name.</summary>
    public const string ArgumentsKey = "model_args";

    /// <summary>The arguments that every class takes.</summary>
    public static IReadOnlyList<string> Shared { get; } = ["drop_path_rate", "drop_rate", "global_pool", "img_size", "in_chans", "num_classes"];

    /// <summary>Reads the keys; those of <c>model_args</c> go before those of <c>pretrained_cfg</c>, and those before the name's own.</summary>
    /// <param name="configuration">The model's <c>config.json</c>.</param>
    /// <param name="own">What the table gives the class for this name.</param>
    /// <param name="dropPath">The class's own <c>drop_path_rate</c>.</param>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, contradicts another, or asks for what is not built.</exception>
    public static TimmOptions From(ModelConfiguration configuration, ModelConfiguration own, double dropPath)
    {
        var arguments = Section(configuration, ArgumentsKey);
        var pretrained = Section(configuration, "pretrained_cfg");
        var classes = configuration.LabelCount;
        if (arguments.WholeNumberOrNull("num_classes") is { } declared && declared != classes)
        {
            throw new ModelLoadException(Invariant($"num_classes is {classes}, but model_args says {declared}; expected the same number."));
        }

        // A folder of transformers' TimmWrapper may lack the settings; timm takes those of the name.
        var ofName = TimmVariants.Find(configuration.Text("architecture", "")) is var (variant, _) ? variant.ImageSize : DefaultSide;
        var size = pretrained.WholeNumbers("input_size", DefaultChannels, ofName, ofName);
        if (size.Count != 3)
        {
            throw new ModelLoadException($"input_size of pretrained_cfg has {size.Count} numbers; expected channels, height and width.");
        }

        return new TimmOptions(
            configuration.Text("architecture", ""),
            arguments.WholeNumber("in_chans", size[0]),
            classes,
            arguments.TextOrNull("global_pool") ?? configuration.TextOrNull("global_pool") ?? own.TextOrNull("global_pool"),
            arguments.Number("drop_rate", own.Number("drop_rate", 0)),
            arguments.Number("drop_path_rate", own.Number("drop_path_rate", dropPath)),
            arguments.Json["img_size"] is null ? (size[1], size[2]) : arguments.Size("img_size", 0));
    }

    private static ModelConfiguration Section(ModelConfiguration configuration, string key) =>
        new(configuration.Json[key] is JsonObject section ? section : [], $"{key} of {ModelConfiguration.FileName}");
}
