using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, N tokens, D width, I inner width, H heads.

/// <summary>What all blocks of one EVA or BEiT share.</summary>
/// <param name="Width">Width of the tokens.</param>
/// <param name="Heads">Heads of the attention.</param>
/// <param name="InnerWidth">Width of the perceptron inside.</param>
/// <param name="Norm">The norm with its arguments.</param>
/// <param name="HasBias">Whether queries and values have a bias.</param>
/// <param name="KeyHasBias">Whether keys have one too.</param>
/// <param name="IsJoined">Whether queries, keys and values are one layer.</param>
/// <param name="Gate">How the perceptron is gated.</param>
/// <param name="NormsMixed">Whether what the heads give is normalized.</param>
/// <param name="NormsInside">Whether the inside of the perceptron is normalized.</param>
/// <param name="NormsLast">Whether norms come after attention and perceptron.</param>
/// <param name="LayerScale">Start of the factor of each channel; null where there is none.</param>
/// <param name="RelativeGrid">Grid of patches of the bias by relative position; null where there is none.</param>
internal sealed record TimmEvaShape(
    int Width, int Heads, int InnerWidth, string Norm, bool HasBias, bool KeyHasBias, bool IsJoined, TimmGate Gate, bool NormsMixed, bool NormsInside, bool NormsLast,
    double? LayerScale, (int Rows, int Columns)? RelativeGrid)
{
    public bool HasRelativeBias => RelativeGrid is not null;

    /// <param name="arguments">What the table gives the class.</param>
    /// <param name="grid">Patches of the network's own picture size.</param>
    public static TimmEvaShape From(ModelConfiguration arguments, (int Rows, int Columns) grid)
    {
        var (width, heads) = (arguments.WholeNumber("embed_dim", 768), arguments.WholeNumber("num_heads", 12));
        OptionChecks.Heads(width, heads);
        var inner = (int)(width * arguments.Number("mlp_ratio", 4));
        var multiple = arguments.WholeNumber("swiglu_align_to", 0);
        var normsInside = arguments.Flag("scale_mlp", false);
        var gate = !arguments.Flag("swiglu_mlp", false) ? TimmGate.None : normsInside || multiple > 0 ? TimmGate.Separate : TimmGate.Joined;
        var isRotary = arguments.Text("attn_type", "eva") == "rope";
        return new TimmEvaShape(
            width,
            heads,
            multiple > 0 ? (inner + multiple - 1) / multiple * multiple : inner,
            arguments.Text("norm_layer", "LayerNorm(eps=1e-06)"),
            arguments.Flag("qkv_bias", true),
            isRotary,
            arguments.Flag("qkv_fused", true),
            gate,
            arguments.Flag("scale_attn_inner", false),
            normsInside,
            arguments.Flag("use_post_norm", false),
            arguments.Json["init_values"] is null ? null : arguments.Number("init_values", 0),
            arguments.Flag("use_rel_pos_bias", false) ? grid : null);
    }

    /// <summary>A norm of tokens.</summary>
    public TensorLayer MakeNorm(int width) => TimmStyle.MakeNorm(Norm, width);
}

/// <summary>How a perceptron is gated.</summary>
internal enum TimmGate
{
    /// <summary>It is not.</summary>
    None,

    /// <summary>By half of its first layer.</summary>
    Joined,

    /// <summary>By a layer of its own.</summary>
    Separate,
}

/// <summary>One block: attention and perceptron, each beside a shortcut, with a norm before or behind.</summary>
/// <remarks>Source: timm <c>EvaBlock</c>, <c>EvaBlockPostNorm</c>, <c>beit.Block</c>. Parity: 1e-5.</remarks>
internal sealed class TimmEvaBlock : Layer
{
    private readonly TimmEvaShape _shape;
    private readonly ParameterSlot? _attentionScale;
    private readonly ParameterSlot? _perceptronScale;
    private readonly TensorLayer _attentionNorm;
    private readonly TimmEvaAttention _attention;
    private readonly TensorLayer _perceptronNorm;
    private readonly TensorLayer _perceptron;
    private readonly double _dropPath;

    /// <param name="shape">What all blocks of the network share.</param>
    /// <param name="dropPath">Share of the pictures for which a branch is left out, in training.</param>
    public TimmEvaBlock(TimmEvaShape shape, double dropPath)
        : base(nameof(TimmEvaBlock))
    {
        (_shape, _dropPath) = (shape, dropPath);
        if (shape.LayerScale is not null && !shape.NormsLast)
        {
            _attentionScale = AddParameter("gamma_1", shape.Width);
            _perceptronScale = AddParameter("gamma_2", shape.Width);
        }

        (_attentionNorm, _attention) = (shape.MakeNorm(shape.Width), new TimmEvaAttention(shape));
        (_perceptronNorm, _perceptron) = (shape.MakeNorm(shape.Width), MakePerceptron(shape));
        foreach (var (norm, name, layer, part) in new[] { ("norm1", "attn", _attentionNorm, (Layer)_attention), ("norm2", "mlp", _perceptronNorm, _perceptron) })
        {
            Add(shape.NormsLast ? name : norm, shape.NormsLast ? part : layer);
            Add(shape.NormsLast ? norm : name, shape.NormsLast ? layer : part);
        }
    }

    /// <param name="tokens">Float [B, N, D].</param>
    /// <param name="rotary">Rotary positions; null where there are none.</param>
    /// <param name="grid">Patches from top to bottom and from left to right.</param>
    /// <param name="trace">Takes the attention where it asks for it.</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, RotaryPositions? rotary, (long Rows, long Columns) grid, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var mixed = _shape.NormsLast
            ? _attentionNorm.Forward(_attention.Forward(tokens, rotary, grid, trace))
            : _attention.Forward(_attentionNorm.Forward(tokens), rotary, grid, trace);
        var attended = tokens.Plus(Branch(mixed, _attentionScale));                             // [B, N, D]
        var made = _shape.NormsLast ? _perceptronNorm.Forward(_perceptron.Forward(attended)) : _perceptron.Forward(_perceptronNorm.Forward(attended));
        return attended.Plus(Branch(made, _perceptronScale)).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        WeightInitialization.Fill(_attentionScale?.Value, _shape.LayerScale ?? 1);
        WeightInitialization.Fill(_perceptronScale?.Value, _shape.LayerScale ?? 1);
    }

    /// <summary>Divides the last layer of each branch, the more the deeper the block is.</summary>
    public void Calm(double divisor)
    {
        foreach (var layer in new[] { _attention.Output, (IWeighted)ModuleTree.TensorLayers(_perceptron).Single(l => l.Name == "fc2").Layer })
        {
            using var calmed = layer.Weight.Over(divisor);
            layer.Weight.copy_(calmed);
        }
    }

    private static TensorLayer MakePerceptron(TimmEvaShape shape) => shape.Gate switch
    {
        TimmGate.Joined => new TimmPerceptron(shape.Width, 2 * shape.InnerWidth, "silu", isGated: true),
        TimmGate.Separate => new TimmGatedPerceptron(shape),
        _ => new TimmPerceptron(shape.Width, shape.InnerWidth, "gelu"),
    };

    private Tensor Branch(Tensor x, ParameterSlot? scale) => StochasticDepth.Apply(scale is { } slot ? slot.Value.Times(x) : x, _dropPath, training);
}

/// <summary>Attention between all tokens, with rotary positions or a bias by relative position.</summary>
/// <remarks>Source: timm <c>EvaAttention</c>, <c>AttentionRope</c>, <c>beit.Attention</c>. Parity: 1e-5.</remarks>
internal sealed class TimmEvaAttention : Layer
{
    private readonly TimmEvaShape _shape;
    private readonly TimmJoinedDense? _joined;
    private readonly Dense? _whole;
    private readonly Dense[] _separate = [];
    private readonly RelativePositionBias? _bias;
    private readonly TensorLayer? _norm;

    public TimmEvaAttention(TimmEvaShape shape)
        : base(nameof(TimmEvaAttention))
    {
        _shape = shape;
        if (!shape.IsJoined)
        {
            _separate =
            [
                Add("q_proj", new Dense(shape.Width, shape.Width, shape.HasBias)),
                Add("k_proj", new Dense(shape.Width, shape.Width, shape.HasBias && shape.KeyHasBias)),
                Add("v_proj", new Dense(shape.Width, shape.Width, shape.HasBias)),
            ];
        }
        else if (shape.KeyHasBias)
        {
            _whole = Add("qkv", new Dense(shape.Width, 3 * shape.Width, shape.HasBias));
        }
        else
        {
            _joined = new TimmJoinedDense(this, shape.Width, shape.Width, shape.HasBias);
        }

        _bias = shape.RelativeGrid is { } grid ? new RelativePositionBias(grid, shape.Heads, this) : null;
        _norm = shape.NormsMixed ? Add("norm", shape.MakeNorm(shape.Width)) : null;
        Output = Add("proj", new Dense(shape.Width, shape.Width));
    }

    /// <summary>The projection of what the heads give.</summary>
    public Dense Output { get; }

    /// <param name="tokens">Float [B, N, D].</param>
    /// <param name="rotary">Rotary positions; null where there are none.</param>
    /// <param name="grid">Patches from top to bottom and from left to right.</param>
    /// <param name="trace">Takes the attention where it asks for it.</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, RotaryPositions? rotary, (long Rows, long Columns) grid, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var parts = _joined?.Forward(tokens) ?? _whole?.Forward(tokens).Chunk(3, -1) ?? [.. _separate.Select(p => p.Forward(tokens))];    // 3 x [B, N, D]
        var (query, key) = rotary is { } turn ? (turn.Apply(parts[0], _shape.Heads), turn.Apply(parts[1], _shape.Heads)) : (parts[0], parts[1]);
        var mixed = Attention.Mix(query, key, parts[2], _shape.Heads, _bias?.For(grid.Rows, grid.Columns), trace: trace);
        return Output.Forward(_norm?.Forward(mixed) ?? mixed).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        _joined?.ResetBias();
        _bias?.ResetParameters();
    }
}

/// <summary>A perceptron whose inside is gated by a layer of its own, and normalized in some names.</summary>
/// <remarks>Source: timm <c>SwiGLU</c>. Parity: 1e-5.</remarks>
internal sealed class TimmGatedPerceptron : TensorLayer
{
    private readonly Dense _gate;
    private readonly Dense _widen;
    private readonly TensorLayer? _norm;
    private readonly Dense _narrow;

    public TimmGatedPerceptron(TimmEvaShape shape)
        : base(nameof(TimmGatedPerceptron))
    {
        _gate = Add("fc1_g", new Dense(shape.Width, shape.InnerWidth));
        _widen = Add("fc1_x", new Dense(shape.Width, shape.InnerWidth));
        _norm = shape.NormsInside ? Add("norm", shape.MakeNorm(shape.InnerWidth)) : null;
        _narrow = Add("fc2", new Dense(shape.InnerWidth, shape.Width));
    }

    /// <param name="input">Float [B, N, D].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _gate.Forward(input).Silu().Times(_widen.Forward(input));                       // [B, N, I]
        return _narrow.Forward(_norm?.Forward(x) ?? x).MoveToOuterDisposeScope();
    }
}
