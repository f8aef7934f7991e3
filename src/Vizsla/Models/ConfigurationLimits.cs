using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vizsla.Models;

/// <summary>What the numbers of a <c>config.json</c> may be, whatever the family: no released checkpoint lies outside, and no memory or time is spent on what does.</summary>
internal static class ConfigurationLimits
{
    private static readonly (double Least, double Most, string[] Keys)[] _limits =
    [
        (1, 65_536, ["decoder_hidden_size", "embed_dim", "embed_dims", "embedding_size", "hidden_dim", "hidden_size", "hidden_sizes", "in_channels", "intermediate_size",
            "key_dim", "neck_hidden_sizes", "out_channels", "stage_in_channels", "stage_mid_channels", "stage_out_channels", "stem_channels"]),
        (0, 1_024, ["num_hidden_layers", "num_register_tokens", "padding"]),
        (1, 1_024, ["attention_depths", "depth", "depths", "focal_levels", "focal_windows", "group_size", "groups_width", "num_attention_heads", "num_block_repeats", "num_channels",
            "num_encoder_blocks", "num_groups", "num_heads", "num_query_pool", "num_stages", "output_stride", "pool_size", "sr_ratios", "stage_num_blocks", "stage_numb_of_layers",
            "stride", "strides", "window_size"]),
        (1, 4_096, ["patch_size", "patch_sizes", "patch_stride"]),
        (1, 16_384, ["image_size"]),
        (1, 255, ["conv_kernel_size", "kernel_size", "kernel_sizes"]),
        (0, 1, ["attention_dropout", "attention_probs_dropout_prob", "classifier_dropout_prob", "drop_connect_rate", "drop_mlp_rate", "drop_path_rate", "drop_rate", "dropout_rate",
            "hidden_dropout_prob"]),
        (0, 1, ["batch_norm_eps", "layer_norm_eps"]),
        (0, 100, ["initializer_factor", "initializer_range"]),
        (1e-6, 1_000, ["attention_ratio", "depth_coefficient", "depth_multiplier", "expand_ratio", "expand_ratios", "mlp_ratio", "mlp_ratios", "squeeze_expansion_ratio", "width_coefficient",
            "width_multiplier"]),
    ];

    /// <summary>Refuses the first number that is out of its range, in the configuration itself or in its <c>vision_config</c>.</summary>
    /// <exception cref="ModelLoadException">The message names the key, the number and the range.</exception>
    public static void Check(ModelConfiguration configuration)
    {
        foreach (var (least, most, keys) in _limits)
        {
            foreach (var key in keys)
            {
                Check(configuration.Json[key], configuration, key, least, most);
            }
        }

        if (configuration.Json["vision_config"] is JsonObject)
        {
            Check(configuration.Section("vision_config"));
        }
    }

    private static void Check(JsonNode? node, ModelConfiguration configuration, string key, double least, double most)
    {
        if (node is JsonArray list)
        {
            foreach (var part in list)
            {
                Check(part, configuration, key, least, most);
            }
        }
        else if (node is JsonValue value && !IsWithin(value, least, most))
        {
            throw configuration.Refused(key, string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}"));
        }
    }

    /// <summary>Whether a value is a number of the range, or no number at all, which its reader refuses.</summary>
    private static bool IsWithin(JsonValue value, double least, double most) => ModelConfiguration.KindOf(value) switch
    {
        JsonValueKind.Number => double.Parse(value.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture) is var number && number >= least && number <= most,
        JsonValueKind.Undefined => false,
        _ => true,
    };
}
