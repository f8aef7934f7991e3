using System.Globalization;
using System.Text.Json.Nodes;

namespace Vizsla.Models.Timm;

/// <summary>One block of timm's definitions of mobile networks, such as <c>ir_r2_k3_s2_e6_c24_se0.25</c>.</summary>
/// <param name="Kind"><c>ds</c>, <c>dsa</c>, <c>ir</c>, <c>er</c>, <c>cn</c>, <c>uir</c>, <c>mqa</c> or <c>mha</c>.</param>
/// <param name="Outputs">Channels of the output before they are scaled.</param>
/// <param name="Stride">Step of the first block of the stage.</param>
/// <param name="Kernel">Side of the kernel; 0 leaves the middle convolution out.</param>
/// <remarks>Source: timm <c>decode_arch_def</c>.</remarks>
internal sealed record TimmBlockDefinition(string Kind, int Outputs, int Stride, int Kernel)
{
    /// <summary>How much wider it is inside; null where it does not say.</summary>
    public double? Expand { get; private init; }

    /// <summary>Reduced channels of the squeeze as a share; 0 for none.</summary>
    public double SqueezeRatio { get; private init; }

    /// <summary>Activation of its own; null takes the network's.</summary>
    public string? Activation { get; private init; }

    /// <summary>What it says of a shortcut: <c>skip</c>, <c>noskip</c> or null.</summary>
    public string? Shortcut { get; private init; }

    /// <summary>Kernel before the widening; 0 for none.</summary>
    public int StartKernel { get; private init; }

    /// <summary>Kernel after the narrowing; 0 for none.</summary>
    public int EndKernel { get; private init; }

    /// <summary>Channels of a group of its convolution; null takes the kind's.</summary>
    public int? GroupSize { get; private init; }

    /// <summary>Channels, before they are scaled, that the widening counts from; 0 takes those of the input.</summary>
    public int ForcedInputs { get; private init; }

    /// <summary>Heads of the attention.</summary>
    public int Heads { get; private init; }

    /// <summary>Width of a key and a value.</summary>
    public int KeyWidth { get; private init; }

    /// <summary>Step by which keys and values are thinned out.</summary>
    public int KeyStride { get; private init; } = 1;

    /// <summary>The blocks of each stage.</summary>
    /// <param name="arguments">What the table gives the class.</param>
    public static IReadOnlyList<IReadOnlyList<TimmBlockDefinition>> Decode(ModelConfiguration arguments)
    {
        var stages = arguments.Text("arch_def", "").Split(' ');
        var multipliers = arguments.Json["depth_multiplier"] is JsonArray
            ? arguments.Numbers("depth_multiplier")
            : [.. Enumerable.Repeat(arguments.Number("depth_multiplier", 1), stages.Length)];
        var (fixesEnds, rounds, groups) = (arguments.Flag("fix_first_last", false), arguments.Text("depth_trunc", "ceil") == "round", arguments.WholeNumberOrNull("group_size"));
        return [.. stages.Select((stage, i) =>
            Scaled([.. stage.Split(',').Select(b => Parse(b, groups))], fixesEnds && (i == 0 || i == stages.Length - 1) ? 1 : multipliers[i], rounds))];
    }

    // timm shares the scaled number out from the last block to the first.
    private static List<TimmBlockDefinition> Scaled(IReadOnlyList<(TimmBlockDefinition Block, int Repeats)> blocks, double multiplier, bool rounds)
    {
        var total = blocks.Sum(b => b.Repeats);
        var scaled = rounds ? Math.Max(1, (int)Math.Round(total * multiplier, MidpointRounding.ToEven)) : (int)Math.Ceiling(total * multiplier);
        var all = new List<TimmBlockDefinition>();
        foreach (var (block, repeats) in blocks.Reverse())
        {
            var count = Math.Max(1, (int)Math.Round((double)repeats / total * scaled, MidpointRounding.ToEven));
            (total, scaled) = (total - repeats, scaled - count);
            all.InsertRange(0, Enumerable.Repeat(block, count));
        }

        return all;
    }

    private static (TimmBlockDefinition Block, int Repeats) Parse(string text, int? groupSize)
    {
        var parts = text.Split('_');
        var numbers = new Dictionary<string, double>(StringComparer.Ordinal);
        string? activation = null;
        string? shortcut = null;
        foreach (var part in parts.Skip(1))
        {
            if (part is "skip" or "noskip")
            {
                shortcut = part;
            }
            else if (part[0] == 'n')
            {
                activation = part switch { "nre" => "relu", "nr6" => "relu6", "nhs" => "hardswish", _ => "silu" };
            }
            else
            {
                var digits = part.AsSpan().IndexOfAnyInRange('0', '9');
                numbers[part[..digits]] = double.Parse(part.AsSpan(digits), NumberStyles.Float, CultureInfo.InvariantCulture);
            }
        }

        int Whole(string key, int missing = 0) => numbers.TryGetValue(key, out var value) ? (int)value : missing;
        var edge = parts[0] is "uir" ? 0 : 1;
        return (new TimmBlockDefinition(parts[0], Whole("c"), Whole("s"), Whole("k"))
        {
            Expand = numbers.TryGetValue("e", out var expand) && parts[0] is not ("ds" or "dsa" or "cn") ? expand : null,
            SqueezeRatio = numbers.GetValueOrDefault("se"),
            Activation = activation,
            Shortcut = shortcut,
            StartKernel = Whole("a", edge),
            EndKernel = Whole("p", edge),
            GroupSize = numbers.ContainsKey("gs") ? Whole("gs") : groupSize,
            ForcedInputs = Whole("fc"),
            Heads = Whole("h"),
            KeyWidth = Whole("d"),
            KeyStride = Whole("v", 1),
        }, Whole("r"));
    }
}
