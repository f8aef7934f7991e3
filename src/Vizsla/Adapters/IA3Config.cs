using System.Text.Json.Nodes;

namespace Vizsla.Adapters;

/// <summary>Rescaling adapters: each target's outputs, or its inputs where it is a feed-forward layer, are multiplied by numbers that train.</summary>
/// <remarks>Source: "Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning"; <c>IA3Config</c> of PEFT 0.21. Parity: 1e-5.</remarks>
public sealed class IA3Config : AdapterConfig
{
    internal const string Type = "IA3";

    /// <summary>Makes the defaults of PEFT.</summary>
    public IA3Config()
        : this(Defaults(), FileName)
    {
    }

    internal IA3Config(JsonObject json, string origin)
        : base(json, origin)
    {
    }

    /// <summary>The targets whose inputs are scaled in the place of their outputs, by the last parts of their names; none by default.</summary>
    public IReadOnlyList<string>? FeedforwardModules
    {
        get => Names("feedforward_modules");
        init => Json["feedforward_modules"] = Array(value);
    }

    internal string? FeedforwardPattern => Pattern("feedforward_modules");

    internal bool StartsAtOne => Json["init_ia3_weights"] is null || Flag("init_ia3_weights");

    internal override void Check()
    {
        if (Flag("fan_in_fan_out"))
        {
            throw Bad("fan_in_fan_out", "false: no layer of these networks keeps its weight the other way around");
        }
    }

    private static JsonObject Defaults()
    {
        var json = Template(Type);
        json["feedforward_modules"] = new JsonArray();
        json["init_ia3_weights"] = true;
        return json;
    }
}
