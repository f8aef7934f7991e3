using TorchSharp;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, H height, W width, N places, h heads, K width of a key.

/// <summary>A block of a mobile network: convolutions one after the other, a squeeze among them, beside a shortcut where the shapes allow one.</summary>
/// <remarks>
/// Source: timm <c>DepthwiseSeparableConv</c>, <c>InvertedResidual</c>, <c>EdgeResidual</c>, <c>ConvBnAct</c>, <c>UniversalInvertedResidual</c>. Parity: 1e-5.
/// </remarks>
internal sealed class TimmMobileBlock : TensorLayer
{
    private readonly TimmMobileShape _shape;
    private readonly TimmStyle _style;
    private readonly List<Func<Tensor, Tensor>> _steps = [];
    private readonly double _dropPath;
    private readonly bool _hasShortcut;

    private TimmMobileBlock(TimmMobileShape shape, TimmBlockDefinition block, (int Inputs, int Outputs) channels, int stride, double dropPath)
        : base(nameof(TimmMobileBlock))
    {
        (_shape, _dropPath) = (shape, dropPath);
        _style = block.Activation is { } own ? shape.Style with { Activation = own } : shape.Style;
        _hasShortcut = stride == 1 && channels.Inputs == channels.Outputs && block.Shortcut != "noskip" && block.Kind != "dsa"
            && (block.Kind != "cn" || block.Shortcut == "skip");
        switch (block.Kind)
        {
            case "ds" or "dsa":
                AddUnit("conv_dw", "bn1", channels.Inputs, channels.Inputs, block.Kernel, stride, GroupsOf(block, 1, channels.Inputs));
                AddSqueeze(block, channels.Inputs);
                AddUnit("conv_pw", "bn2", channels.Inputs, channels.Outputs, block.EndKernel, isActivated: block.Kind == "dsa");
                break;
            case "ir":
                var width = TimmRounding.ToMultiple(channels.Inputs * block.Expand!.Value);
                AddUnit("conv_pw", "bn1", channels.Inputs, width, block.StartKernel);
                AddUnit("conv_dw", "bn2", width, width, block.Kernel, stride, GroupsOf(block, 1, width));
                AddSqueeze(block, width);
                AddUnit("conv_pwl", "bn3", width, channels.Outputs, block.EndKernel, isActivated: false);
                break;
            case "er":
                var counted = block.ForcedInputs > 0 ? shape.Rounded(block.ForcedInputs) : channels.Inputs;
                var inner = TimmRounding.ToMultiple(counted * block.Expand!.Value);
                AddUnit("conv_exp", "bn1", channels.Inputs, inner, block.Kernel, stride, GroupsOf(block, 0, inner));
                AddSqueeze(block, inner);
                AddUnit("conv_pwl", "bn2", inner, channels.Outputs, block.EndKernel, isActivated: false);
                break;
            case "cn":
                AddUnit("conv", "bn1", channels.Inputs, channels.Outputs, block.Kernel, stride, GroupsOf(block, 0, channels.Inputs));
                break;
            case "uir":
                AddUniversal(block, channels, stride);
                break;
            default:
                throw new ModelLoadException($"The block '{block.Kind}' of timm is not supported.");
        }
    }

    /// <summary>The layer of a definition.</summary>
    /// <param name="shape">What all blocks of the network share.</param>
    /// <param name="block">The definition.</param>
    /// <param name="inputs">Channels of the input.</param>
    /// <param name="stride">Step of the convolution that shrinks the plane.</param>
    /// <param name="dropPath">Share of the pictures for which the branch is left out, in training.</param>
    public static TensorLayer Make(TimmMobileShape shape, TimmBlockDefinition block, int inputs, int stride, double dropPath)
    {
        var channels = (inputs, shape.Rounded(block.Outputs));
        return block.Kind is "mqa" or "mha"
            ? new TimmMobileAttention(shape, block, channels, stride, dropPath)
            : new TimmMobileBlock(shape, block, channels, stride, dropPath);
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input;
        foreach (var step in _steps)
        {
            x = step(x);
        }

        return (_hasShortcut ? StochasticDepth.Apply(x, _dropPath, training).Plus_(input) : x).MoveToOuterDisposeScope();
    }

    private static int GroupsOf(TimmBlockDefinition block, int kindsSize, int channels) =>
        (block.GroupSize ?? kindsSize) is > 0 and var size ? channels / size : 1;

    private void AddUniversal(TimmBlockDefinition block, (int Inputs, int Outputs) channels, int stride)
    {
        var (inputs, outputs) = channels;
        var width = TimmRounding.ToMultiple(inputs * block.Expand!.Value);
        if (block.StartKernel > 0)
        {
            AddUnit("dw_start.conv", "dw_start.bn", inputs, inputs, block.StartKernel, block.Kernel > 0 ? 1 : stride, GroupsOf(block, 1, inputs), isActivated: false);
        }

        AddUnit("pw_exp.conv", "pw_exp.bn", inputs, width, 1);
        if (block.Kernel > 0)
        {
            AddUnit("dw_mid.conv", "dw_mid.bn", width, width, block.Kernel, stride, GroupsOf(block, 1, width));
        }

        AddSqueeze(block, width);
        AddUnit("pw_proj.conv", "pw_proj.bn", width, outputs, 1, isActivated: false);
        if (block.EndKernel > 0)
        {
            AddUnit("dw_end.conv", "dw_end.bn", outputs, outputs, block.EndKernel, block.StartKernel > 0 || block.Kernel > 0 ? 1 : stride, GroupsOf(block, 1, outputs), isActivated: false);
        }

        if (_shape.LayerScale is { } start)
        {
            _steps.Add(Add("layer_scale", new TimmLayerScale(outputs, start, areTokens: false)).Forward);
        }
    }

    private void AddUnit(string convolution, string norm, int inputs, int outputs, int kernel, int stride = 1, int groups = 1, bool isActivated = true)
    {
        var smoothing = stride > 1 ? _shape.Smoothing : null;
        var options = _style.Convolution(kernel, smoothing is null ? stride : 1, groups);
        _steps.Add(_style.Unit(this, (convolution, norm), inputs, outputs, options, isActivated).Forward);
        if (smoothing is not null)
        {
            _steps.Add(x => TimmSmoothing.Halve(smoothing, x));
        }
    }

    private void AddSqueeze(TimmBlockDefinition block, int width)
    {
        if (_shape.MakeSqueeze(block, width, _style) is { } squeeze)
        {
            _steps.Add(Add("se", squeeze).Forward);
        }
    }
}

/// <summary>Attention between the places of a plane: all queries on one set of keys and values, or heads of their own.</summary>
/// <remarks>Source: timm <c>MobileAttention</c>, <c>MultiQueryAttention2d</c>, <c>Attention2d</c>. Parity: 1e-5.</remarks>
internal sealed class TimmMobileAttention : TensorLayer
{
    private readonly TensorLayer _norm;
    private readonly Convolution? _joined;
    private readonly Convolution? _query;
    private readonly List<TensorLayer> _key = [];
    private readonly List<TensorLayer> _value = [];
    private readonly Convolution _output;
    private readonly TensorLayer? _scale;
    private readonly int _heads;
    private readonly int _keyWidth;
    private readonly double _dropPath;
    private readonly bool _hasShortcut;

    public TimmMobileAttention(TimmMobileShape shape, TimmBlockDefinition block, (int Inputs, int Outputs) channels, int stride, double dropPath)
        : base(nameof(TimmMobileAttention))
    {
        var (inputs, outputs) = channels;
        _dropPath = dropPath;
        _heads = block.Heads;
        _hasShortcut = stride == 1 && inputs == outputs && block.Shortcut != "noskip";
        _norm = Add("norm", shape.Style.MakeNorm(inputs));
        var place = new ConvolutionOptions(1) { HasBias = false };
        if (block.Kind == "mha")
        {
            _keyWidth = inputs / _heads;
            _joined = Add("attn.qkv", new Convolution(inputs, 3 * inputs, place));
            _output = Add("attn.proj", new Convolution(inputs, outputs, place));
        }
        else
        {
            _keyWidth = block.KeyWidth;
            _query = Add("attn.query.proj", new Convolution(inputs, _heads * _keyWidth, place));
            foreach (var (name, layers) in new[] { ("attn.key", _key), ("attn.value", _value) })
            {
                if (block.KeyStride > 1)
                {
                    layers.Add(Add($"{name}.down_conv", new Convolution(inputs, inputs, shape.Style.Convolution(block.Kernel, block.KeyStride, inputs))));
                    layers.Add(Add($"{name}.norm", shape.Style.MakeNorm(inputs)));
                }

                layers.Add(Add($"{name}.proj", new Convolution(inputs, _keyWidth, place)));
            }

            _output = Add("attn.output.proj", new Convolution(_heads * _keyWidth, outputs, place));
        }

        _scale = shape.LayerScale is { } start ? Add("layer_scale", new TimmLayerScale(outputs, start, areTokens: false)) : null;
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H, W]; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _norm.Forward(input);
        var (q, k, v) = _joined is null ? Shared(x) : Joined(x);
        var attention = q.Times(1 / Math.Sqrt(_keyWidth)).MatMul(k.Transpose(-1, -2)).Softmax(-1);           // [B, h, N, M]
        var mixed = attention.MatMul(v).Transpose(2, 3)
            .Reshape(input.shape[0], -1, input.shape[2], input.shape[3]);                       // [B, h K, H, W]
        x = _output.Forward(mixed);
        x = _scale?.Forward(x) ?? x;
        return (_hasShortcut ? StochasticDepth.Apply(x, _dropPath, training).Plus(input) : x).MoveToOuterDisposeScope();
    }

    /// <summary>Draws the projections of shared keys and values as timm does after all other weights.</summary>
    public void InitializeProjections()
    {
        foreach (var convolution in new TensorLayer?[] { _query }.Concat(Projections()).Append(_query is null ? null : _output).OfType<Convolution>())
        {
            nn.init.xavier_uniform_(convolution.Weight);
        }
    }

    private IEnumerable<TensorLayer> Projections() =>
        _key.Count == 0 ? [] : [_key[^1], _value[^1], .. _key.Count > 1 ? new[] { _key[0], _value[0] } : []];

    private (Tensor Query, Tensor Key, Tensor Value) Shared(Tensor x) => (
        _query!.Forward(x).Flatten(2).Unflatten(1, _heads, _keyWidth).Transpose(2, 3),                        // [B, h, N, K]
        TimmNetwork.Through(_key, x.Alias()).Flatten(2).Transpose(1, 2).Unsqueeze(1),           // [B, 1, M, K]
        TimmNetwork.Through(_value, x.Alias()).Flatten(2).Transpose(1, 2).Unsqueeze(1));        // [B, 1, M, K]

    private (Tensor Query, Tensor Key, Tensor Value) Joined(Tensor x)
    {
        var parts = _joined!.Forward(x).Flatten(2).Unflatten(1, 3, _heads, _keyWidth).Transpose(3, 4);        // [B, 3, h, N, K]
        return (parts.Select(1, 0), parts.Select(1, 1), parts.Select(1, 2));
    }
}
