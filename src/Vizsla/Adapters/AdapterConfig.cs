using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Models;
using Vizsla.Primitives;

namespace Vizsla.Adapters;

/// <summary>What an adapter changes, and how: the contents of <c>adapter_config.json</c>.</summary>
/// <remarks>Keys that are not understood are kept. Source: <c>PeftConfig</c> of PEFT 0.21.</remarks>
public abstract class AdapterConfig
{
    internal const string FileName = "adapter_config.json";

    // The version whose keys are written.
    private const string WrittenVersion = "0.21.2";

    private readonly string _origin;

    private protected AdapterConfig(JsonObject json, string origin) => (Json, _origin) = (json, origin);

    /// <summary>Folder or Hub name of the model that is adapted; null where the file does not say.</summary>
    public string? BaseModelNameOrPath
    {
        get => Text("base_model_name_or_path");
        init => Json["base_model_name_or_path"] = value;
    }

    /// <summary>Branch, tag or commit of a base model on the Hub; null means <c>main</c>.</summary>
    public string? Revision
    {
        get => Text("revision");
        init => Json["revision"] = value;
    }

    /// <summary>The layers that get an adapter, by the last parts of their names, in the spelling of transformers 4 or 5; null where <see cref="TargetPattern"/> says which.</summary>
    public IReadOnlyList<string>? TargetModules
    {
        get => Names("target_modules");
        init => Json["target_modules"] = Array(value);
    }

    /// <summary>The layers that get an adapter: <c>all-linear</c>, or a regular expression that must match a whole name; null where <see cref="TargetModules"/> says which.</summary>
    public string? TargetPattern
    {
        get => Pattern("target_modules");
        init => Json["target_modules"] = value;
    }

    /// <summary>Modules that train in full and are saved, by the last parts of their names; null for none. A head that is new is always among them.</summary>
    public IReadOnlyList<string>? ModulesToSave
    {
        get => Names("modules_to_save");
        init => Json["modules_to_save"] = Array(value);
    }

    /// <summary>The kind of adapter: <c>LORA</c> or <c>IA3</c>.</summary>
    public string PeftType => Text("peft_type")!;

    internal JsonObject Json { get; }

    /// <summary>Layers that get none although they are targets.</summary>
    internal (IReadOnlyList<string>? Names, string? Pattern) Excluded => (Names("exclude_modules"), Pattern("exclude_modules"));

    /// <summary>Whether every linear layer is a target.</summary>
    internal bool TargetsAllLinear => string.Equals(TargetPattern, AllLinear, StringComparison.OrdinalIgnoreCase);

    /// <summary>The word for every linear layer.</summary>
    internal const string AllLinear = "all-linear";

    /// <summary>Reads the configuration of an adapter's folder.</summary>
    /// <param name="folder">A folder with <c>adapter_config.json</c>.</param>
    /// <exception cref="ModelLoadException">There is none, it is not JSON, or it is of a kind that is not read; the message names it.</exception>
    public static AdapterConfig Load(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw new ModelLoadException($"'{folder}' holds no {FileName}; an adapter's folder has one beside its adapter_model.safetensors.");
        }

        try
        {
            return PythonJson.Parse(File.ReadAllText(path)) is JsonObject json ? Read(json, path) : throw new ModelLoadException($"'{path}' is JSON but not an object.");
        }
        catch (JsonException e)
        {
            throw new ModelLoadException($"'{path}' is not JSON: {e.Message}", e);
        }
    }

    /// <summary>The file's text as PEFT writes it: sorted keys, no newline at the end.</summary>
    public string ToJson() => PythonJson.Serialize(Json, 2, sortKeys: true);

    internal static bool IsIn(string folder) => File.Exists(Path.Combine(folder, FileName));

    /// <summary>A copy with other values under some keys.</summary>
    internal AdapterConfig With(params ReadOnlySpan<(string Key, JsonNode? Value)> changes)
    {
        var json = (JsonObject)Json.DeepClone();
        foreach (var (key, value) in changes)
        {
            json[key] = value;
        }

        return Read(json, _origin);
    }

    /// <summary>What is wrong with the values themselves, whatever the model.</summary>
    internal abstract void Check();

    private protected string? Text(string key) => Json[key] switch
    {
        null => null,
        JsonValue value when ModelConfiguration.KindOf(value) == JsonValueKind.String => value.GetValue<string>(),
        _ => throw Bad(key, "a text"),
    };

    private protected bool Flag(string key) => Json[key] switch
    {
        null => false,
        JsonValue value when ModelConfiguration.KindOf(value) is JsonValueKind.True or JsonValueKind.False => value.GetValue<bool>(),
        _ => throw Bad(key, "true or false"),
    };

    private protected double Number(string key, double missing) => Json[key] is { } node ? Number(node, key) : missing;

    private protected int Whole(string key, int missing) => Json[key] is { } node ? Whole(node, key) : missing;

    private protected IReadOnlyDictionary<string, double> Numbers(string key) => Json[key] switch
    {
        null => new Dictionary<string, double>(),
        JsonObject map => map.ToDictionary(e => e.Key, e => e.Value is null ? throw Bad(key, "a number for each name") : Number(e.Value, key), StringComparer.Ordinal),
        _ => throw Bad(key, "an object of numbers"),
    };

    /// <summary>Whole numbers of a list, or a single one.</summary>
    private protected IReadOnlyList<int>? WholeNumbers(string key) => Json[key] switch
    {
        null => null,
        JsonArray list => [.. list.Select(n => n is null ? throw Bad(key, "whole numbers") : Whole(n, key))],
        var one => [Whole(one, key)],
    };

    /// <summary>A list of names; null where the key is a text or absent.</summary>
    private protected IReadOnlyList<string>? Names(string key) => Json[key] switch
    {
        JsonArray list => [.. list.Select(n => n is JsonValue v && ModelConfiguration.KindOf(v) == JsonValueKind.String ? v.GetValue<string>() : throw Bad(key, "a list of names"))],
        null or JsonValue => null,
        _ => throw Bad(key, "a list of names"),
    };

    private protected string? Pattern(string key) => Json[key] is JsonArray ? null : Text(key);

    private protected static JsonArray? Array(IEnumerable<string>? names) => names is null ? null : [.. names.Select(n => (JsonNode)n)];

    private protected ModelLoadException Bad(string key, string expected) =>
        new($"'{_origin}': \"{key}\" is {PythonJson.Serialize(Json[key], null)}, expected {expected}.");

    /// <summary>The keys that both kinds have.</summary>
    private protected static JsonObject Template(string type) => new()
    {
        ["auto_mapping"] = null,
        ["base_model_name_or_path"] = null,
        ["exclude_modules"] = null,
        ["fan_in_fan_out"] = false,
        ["inference_mode"] = true,
        ["modules_to_save"] = null,
        ["peft_type"] = type,
        ["peft_version"] = WrittenVersion,
        ["revision"] = null,
        ["target_modules"] = null,
        ["task_type"] = null,
    };

    private static AdapterConfig Read(JsonObject json, string origin)
    {
        AdapterConfig config = json["peft_type"]?.ToString() switch
        {
            LoraConfig.Type => new LoraConfig(json, origin),
            IA3Config.Type => new IA3Config(json, origin),
            var other => throw new ModelLoadException($"'{origin}' is an adapter of the kind {other ?? "(none)"}, which is not read; LORA (with DoRA) and IA3 are. Merge it in Python, and take the merged model."),
        };
        config.Check();
        return config;
    }

    private double Number(JsonNode node, string key) =>
        node is JsonValue value && ModelConfiguration.KindOf(value) == JsonValueKind.Number
            ? double.Parse(value.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture)
            : throw Bad(key, "a number");

    private int Whole(JsonNode node, string key) =>
        node is JsonValue value && ModelConfiguration.KindOf(value) == JsonValueKind.Number && Number(node, key) is var number && number == Math.Truncate(number) && Math.Abs(number) <= int.MaxValue ? (int)number : throw Bad(key, "a whole number");
}

/// <summary>Low-rank adapters: each target computes <c>W x + scaling B A x</c>, where only A and B train.</summary>
/// <remarks>
/// Source: "LoRA: Low-Rank Adaptation of Large Language Models", "DoRA: Weight-Decomposed Low-Rank Adaptation"; <c>LoraConfig</c> of PEFT 0.21 for linear layers and convolutions.
/// Parity: logits, losses and gradients 1e-5; initial values equal for the same seed.
/// </remarks>
public sealed class LoraConfig : AdapterConfig
{
    internal const string Type = "LORA";

    // Kinds of LoRA that compute something else; what their keys hold where they are off is null, false or empty.
    private static readonly string[] OtherKinds =
    [
        "alora_invocation_tokens", "arrow_config", "corda_config", "eva_config", "kasa_config", "layer_replication", "loftq_config", "lora_ga_config", "megatron_config", "monteclora_config",
        "target_parameters", "trainable_token_indices", "use_bdlora", "use_qalora", "velora_config", "fan_in_fan_out",
    ];

    private static readonly string[] Biases = ["none", "all", "lora_only"];

    /// <summary>Makes the defaults of PEFT: rank 8, alpha 8, no dropout.</summary>
    public LoraConfig()
        : this(Defaults(), FileName)
    {
    }

    internal LoraConfig(JsonObject json, string origin)
        : base(json, origin)
    {
    }

    /// <summary>Rank of A and B, at least 1. Default 8.</summary>
    public int R
    {
        get => Whole("r", 8);
        init => Json["r"] = value;
    }

    /// <summary>The change is scaled by this over the rank. Default 8.</summary>
    public double LoraAlpha
    {
        get => Number("lora_alpha", 8);
        init => Json["lora_alpha"] = value == Math.Truncate(value) ? JsonValue.Create((long)value) : JsonValue.Create(value);
    }

    /// <summary>Share of a target's inputs that A does not see in training, at least 0 and below 1. Default 0.</summary>
    public double LoraDropout
    {
        get => Number("lora_dropout", 0);
        init => Json["lora_dropout"] = value;
    }

    /// <summary>Whether the scale is alpha over the root of the rank. Default false.</summary>
    public bool UseRslora
    {
        get => Flag("use_rslora");
        init => Json["use_rslora"] = value;
    }

    /// <summary>Whether the length of each output's weights trains apart from their direction. Default false.</summary>
    public bool UseDora
    {
        get => Flag("use_dora");
        init => Json["use_dora"] = value;
    }

    /// <summary>Which biases train: <c>none</c>, <c>all</c>, or <c>lora_only</c> for those of the targets. Default none.</summary>
    public string Bias
    {
        get => Text("bias") ?? "none";
        init => Json["bias"] = value;
    }

    /// <summary>Other ranks for some targets, by the last parts of their names or regular expressions. Default none.</summary>
    public IReadOnlyDictionary<string, double> RankPattern
    {
        get => Numbers("rank_pattern");
        init => Json["rank_pattern"] = Map(value);
    }

    /// <summary>Other alphas for some targets, as <see cref="RankPattern"/>. Default none.</summary>
    public IReadOnlyDictionary<string, double> AlphaPattern
    {
        get => Numbers("alpha_pattern");
        init => Json["alpha_pattern"] = Map(value);
    }

    /// <summary>The blocks, counted from 0, in which targets get an adapter; null means all. Goes with <see cref="AdapterConfig.TargetModules"/>.</summary>
    public IReadOnlyList<int>? LayersToTransform
    {
        get => WholeNumbers("layers_to_transform");
        init => Json["layers_to_transform"] = value is null ? null : new JsonArray([.. value.Select(n => (JsonNode)n)]);
    }

    /// <summary>Names of the lists of blocks that <see cref="LayersToTransform"/> counts in, such as <c>layers</c>; null takes any.</summary>
    internal IReadOnlyList<string>? LayersPattern => Names("layers_pattern") ?? (Text("layers_pattern") is { Length: > 0 } one ? [one] : null);

    /// <summary>Whether B has a bias.</summary>
    internal bool LoraBias => Flag("lora_bias");

    /// <summary>How A is drawn: <c>true</c> as a linear layer, <c>gaussian</c>, or <c>false</c>, where B is not zero either.</summary>
    internal string Start => Json["init_lora_weights"] switch
    {
        null => "true",
        JsonValue value when ModelConfiguration.KindOf(value) is JsonValueKind.True => "true",
        JsonValue value when ModelConfiguration.KindOf(value) is JsonValueKind.False => "false",
        _ => Text("init_lora_weights")!,
    };

    internal override void Check()
    {
        if (OtherKinds.FirstOrDefault(IsOn) is { } kind)
        {
            throw Bad(kind, "nothing: this kind of LoRA is not read. Merge it in Python, and take the merged model");
        }

        if (Start is not ("true" or "false" or "gaussian"))
        {
            throw Bad("init_lora_weights", "true, false or \"gaussian\", for others change the base model. Merge it in Python, and take the merged model");
        }

        if (R < 1 || RankPattern.Values.Any(r => r < 1 || r != Math.Truncate(r)))
        {
            throw Bad(R < 1 ? "r" : "rank_pattern", "a rank of at least 1");
        }

        if (LoraDropout is < 0 or >= 1)
        {
            throw Bad("lora_dropout", "at least 0 and below 1");
        }

        if (!Biases.Contains(Bias))
        {
            throw Bad("bias", "none, all or lora_only");
        }

        if (LayersToTransform is not null && TargetModules is null)
        {
            throw Bad("layers_to_transform", "nothing where target_modules is a pattern: write the blocks into the pattern");
        }
    }

    private bool IsOn(string key) => Json[key] switch
    {
        null => false,
        JsonObject map => map.Count > 0,
        JsonArray list => list.Count > 0,
        JsonValue value => ModelConfiguration.KindOf(value) != JsonValueKind.False,
        _ => true,
    };

    private static JsonObject Map(IReadOnlyDictionary<string, double> values) =>
        new(values.Select(v => KeyValuePair.Create(v.Key, (JsonNode?)(v.Value == Math.Truncate(v.Value) ? JsonValue.Create((long)v.Value) : JsonValue.Create(v.Value)))));

    private static JsonObject Defaults()
    {
        var json = Template(Type);
        foreach (var key in OtherKinds.Except(["fan_in_fan_out", "loftq_config", "use_qalora"]).Append("layers_pattern").Append("layers_to_transform"))
        {
            json[key] = null;
        }

        json["alpha_pattern"] = new JsonObject();
        json["bias"] = "none";
        json["ensure_weight_tying"] = false;
        json["init_lora_weights"] = true;
        json["loftq_config"] = new JsonObject();
        json["lora_alpha"] = 8;
        json["lora_bias"] = false;
        json["lora_dropout"] = 0.0;
        json["megatron_core"] = "megatron.core";
        json["qalora_group_size"] = 16;
        json["r"] = 8;
        json["rank_pattern"] = new JsonObject();
        json["use_dora"] = false;
        json["use_qalora"] = false;
        json["use_rslora"] = false;
        return json;
    }
}
