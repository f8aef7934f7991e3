namespace Vizsla.Models.ConvNext;

/// <summary>The keys of a ConvNeXt's <c>config.json</c>.</summary>
/// <remarks>Source: transformers <c>ConvNextConfig</c>; the defaults are its own.</remarks>
internal sealed record ConvNextOptions(
    IReadOnlyList<int> Widths,
    IReadOnlyList<int> Depths,
    string Activation,
    double InitializerRange,
    double Epsilon,
    (int Height, int Width) PatchSize,
    int Channels,
    double LayerScale,
    double DropPath)
{
    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the numbers of stages differ.</exception>
    public static ConvNextOptions From(ModelConfiguration configuration)
    {
        var options = new ConvNextOptions(
            configuration.WholeNumbers("hidden_sizes", 96, 192, 384, 768),
            configuration.WholeNumbers("depths", 3, 3, 9, 3),
            configuration.Text("hidden_act", "gelu"),
            configuration.Number("initializer_range", 0.02),
            configuration.Number("layer_norm_eps", 1e-12),
            configuration.Size("patch_size", 4),
            configuration.WholeNumber("num_channels", 3),
            configuration.Number("layer_scale_init_value", 1e-6),
            configuration.Number("drop_path_rate", 0));
        var stages = configuration.WholeNumber("num_stages", options.Widths.Count);
        return options.Widths.Count == stages && options.Depths.Count == stages
            ? options
            : throw new ModelLoadException(
                $"num_stages is {stages}, hidden_sizes has {options.Widths.Count} and depths {options.Depths.Count} entries; expected one number.");
    }
}
