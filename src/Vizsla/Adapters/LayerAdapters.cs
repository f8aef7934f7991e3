using TorchSharp;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Adapters;

// Shapes: I inputs, O outputs, R rank, B batch; K kernel height and width of a convolution, G its groups.

/// <summary>The change of one layer, as an adapter makes it and as it can be written into the layer's weight.</summary>
internal abstract class LayerAdapter : ILayerAdapter
{
    private readonly List<(string Name, ParameterSlot Slot)> _parameters = [];

    /// <summary>The parameters under their names behind the layer's in an adapter's file, in PEFT's order.</summary>
    public IReadOnlyList<(string Name, ParameterSlot Slot)> Parameters => _parameters;

    public abstract Tensor Apply(TensorLayer layer, Tensor input);

    /// <summary>Draws the initial values from torch's global generator.</summary>
    public abstract void Draw();

    /// <summary>The weight, and the bias where it changes, that compute the same without an adapter, in float32.</summary>
    /// <returns>In the caller's scope.</returns>
    public abstract (Tensor Weight, Tensor? Bias) Merged();

    /// <summary>Registers a parameter below the layer, on its device.</summary>
    /// <param name="layer">The adapted layer.</param>
    /// <param name="path">Its name below the layer in memory.</param>
    /// <param name="fileName">Its name behind the layer's in the file.</param>
    /// <param name="shape">Its shape.</param>
    protected ParameterSlot Add(TensorLayer layer, string path, string fileName, params long[] shape)
    {
        var slot = ModuleTree.AddParameter(layer, path, shape);
        slot.Owner.to(((IWeighted)layer).Weight.device);
        _parameters.Add((fileName, slot));
        return slot;
    }
}

/// <summary>A low-rank change, <c>W x + scaling B A x</c>; with a magnitude the length of each output's weights is a parameter of its own.</summary>
/// <remarks>Source: PEFT <c>lora.Linear</c>, <c>lora.Conv2d</c>, <c>DoraLinearLayer</c>, <c>DoraConv2dLayer</c>. Parity: 1e-5.</remarks>
internal sealed class LowRankAdapter : LayerAdapter
{
    private readonly AdapterTarget _target;
    private readonly LoraConfig _config;
    private readonly ConvolutionOptions? _options;
    private readonly ParameterSlot _a;
    private readonly ParameterSlot _b;
    private readonly ParameterSlot? _bias;
    private readonly ParameterSlot? _magnitude;

    public LowRankAdapter(AdapterTarget target, LoraConfig config)
    {
        (_target, _config) = (target, config);
        _options = (target.Layer as Convolution)?.Options;
        var shape = target.Weight.shape;
        long rank = target.Rank;
        if (_options is null)
        {
            _a = Add(target.Layer, "lora_A.weight", "lora_A.weight", rank, shape[1]);
            _b = Add(target.Layer, "lora_B.weight", "lora_B.weight", shape[0], rank);
        }
        else
        {
            _a = Add(target.Layer, "lora_A.weight", "lora_A.weight", rank, shape[1] * _options.Groups, shape[2], shape[3]);
            _b = Add(target.Layer, "lora_B.weight", "lora_B.weight", shape[0], rank / _options.Groups, 1, 1);
        }

        _bias = config.LoraBias ? Add(target.Layer, "lora_B.bias", "lora_B.bias", shape[0]) : null;
        if (config.UseDora)
        {
            _magnitude = Add(target.Layer, "lora_magnitude_vector.weight", "lora_magnitude_vector", _options is null ? [shape[0]] : [1, shape[0], 1, 1]);
        }
    }

    private bool IsConvolution => _options is not null;

    public override Tensor Apply(TensorLayer layer, Tensor input)
    {
        using var scope = NewDisposeScope();
        var own = layer.Compute(input);                                                     // [..., O]
        var seen = Dropout.Apply(input, _config.LoraDropout, layer.training);
        return (_magnitude is null ? own.Plus(Change(seen)) : Weighted(own, input, seen)).MoveToOuterDisposeScope();
    }

    /// <remarks>PEFT makes both layers as torch does, and then draws A again.</remarks>
    public override void Draw()
    {
        WeightInitialization.ResetLikeTorch(_a.Value, null);
        WeightInitialization.ResetLikeTorch(_b.Value, _bias?.Value);
        if (_config.Start == "true")
        {
            WeightInitialization.ResetLikeTorch(_a.Value, null);
        }
        else if (_config.Start == "gaussian")
        {
            WeightInitialization.Normal(_a.Value, 1.0 / _target.Rank);
        }

        if (_config.Start != "false")
        {
            WeightInitialization.Fill(_b.Value, 0);
            WeightInitialization.Fill(_bias?.Value, 0);
        }

        using var mode = no_grad();
        using var scope = NewDisposeScope();
        _magnitude?.Value.copy_(Length(_target.Weight.Plus(Product())).reshape(_magnitude.Value.Value.shape));
    }

    public override (Tensor Weight, Tensor? Bias) Merged()
    {
        var (weight, bias) = (_target.Weight.detach(), ((IWeighted)_target.Layer).Bias?.detach());
        var sum = weight.Plus(Product());
        var added = _bias is { } slot ? slot.Value.Times(_target.Scaling) : null;
        if (_magnitude is { } magnitude)
        {
            var factor = magnitude.Value.reshape(-1).Over(Length(sum));                     // [O]
            sum = sum.Times(factor.reshape([-1, .. Enumerable.Repeat(1L, (int)sum.dim() - 1)]));
            added = added?.Times(factor);
        }

        return (sum, added is null ? null : bias!.Plus(added));
    }

    // scaling B A x: a power of two, as most scales are, gives the same bits where the tensor is smallest; another one is applied where PEFT does.
    private Tensor Change(Tensor x) => _bias is null && Math.ScaleB(1, Math.ILogB(_target.Scaling)) == _target.Scaling
        ? Second(First(x).Times(_target.Scaling), null)
        : Second(First(x), _bias?.Value).Times(_target.Scaling);

    private Tensor First(Tensor x) => IsConvolution
        ? x.Convolve(_a.Value, null, _options! with { Groups = 1, HasBias = false })        // [B, R, H', W']
        : x.Linear(_a.Value, null);                                                         // [..., R]

    private Tensor Second(Tensor x, Tensor? bias) => IsConvolution
        ? x.Convolve(_b.Value, bias, new ConvolutionOptions(1) { Groups = _options!.Groups, HasBias = bias is not null })
        : x.Linear(_b.Value, bias);

    // The weights' own length is a constant to the gradient, as in the paper.
    private Tensor Weighted(Tensor own, Tensor input, Tensor seen)
    {
        Tensor factor;
        using (no_grad())
        {
            factor = Length(_target.Weight.Plus(Product()));                                // [O]
        }

        var shape = IsConvolution ? new long[] { 1, -1, 1, 1 } : [-1];
        factor = _magnitude!.Value.Value.Reshape(-1).Over(factor).Reshape(shape);
        var bias = ((IWeighted)_target.Layer).Bias;
        var linear = ReferenceEquals(input, seen)
            ? bias is null ? own : own.Minus(bias.Reshape(shape))
            : WithoutBias(seen);
        return own.Plus(factor.Plus(-1).Times(linear)).Plus(factor.Times(Change(seen)));
    }

    private Tensor WithoutBias(Tensor x) => IsConvolution ? x.Convolve(_target.Weight, null, _options! with { HasBias = false }) : x.Linear(_target.Weight, null);

    // scaling B A in the shape of the weight; not for convolutions of several groups.
    private Tensor Product()
    {
        long rank = _target.Rank;
        return _b.Value.Reshape(-1, rank).MatMul(_a.Value.Reshape(rank, -1)).Reshape(_target.Weight.shape).Times(_target.Scaling);
    }

    private static Tensor Length(Tensor weight) => weight.Flatten(1).Norm([1]);
}

/// <summary>A rescaling: outputs, or inputs of a feed-forward layer, times numbers that train.</summary>
/// <remarks>Source: PEFT <c>ia3.Linear</c>, <c>ia3.Conv2d</c>. Parity: 1e-5.</remarks>
internal sealed class RescalingAdapter : LayerAdapter
{
    private readonly AdapterTarget _target;
    private readonly bool _startsAtOne;
    private readonly ParameterSlot _scale;

    public RescalingAdapter(AdapterTarget target, IA3Config config)
    {
        (_target, _startsAtOne) = (target, config.StartsAtOne);
        var shape = target.Weight.shape;
        var inputs = shape[1] * ((target.Layer as Convolution)?.Options.Groups ?? 1);
        _scale = Add(target.Layer, "ia3_l.weight", "ia3_l", (target.Layer is Convolution, target.IsFeedForward) switch
        {
            (true, true) => [1, inputs, 1, 1],
            (true, false) => [1, shape[0], 1, 1],
            (false, true) => [1, inputs],
            _ => [shape[0], 1],
        });
    }

    public override Tensor Apply(TensorLayer layer, Tensor input)
    {
        using var scope = NewDisposeScope();
        var scale = layer is Convolution ? _scale.Value : _scale.Value.Reshape(-1);
        return (_target.IsFeedForward ? layer.Compute(input.Times(scale)) : layer.Compute(input).Times(scale)).MoveToOuterDisposeScope();
    }

    public override void Draw()
    {
        WeightInitialization.Normal(_scale.Value, 1);
        if (_startsAtOne)
        {
            WeightInitialization.Fill(_scale.Value, 1);
        }
    }

    public override (Tensor Weight, Tensor? Bias) Merged()
    {
        var (weight, bias, scale) = (_target.Weight.detach(), ((IWeighted)_target.Layer).Bias?.detach(), _scale.Value.detach().reshape(-1));
        if (!_target.IsFeedForward)
        {
            return (weight.Times(scale.reshape([-1, .. Enumerable.Repeat(1L, (int)weight.dim() - 1)])), bias?.Times(scale));
        }

        if (_target.Layer is not Convolution { Options.Groups: var groups })
        {
            return (weight.Times(scale), null);
        }

        // Each group of outputs sees its own share of the inputs.
        var shares = scale.reshape(groups, 1, -1).expand(groups, weight.shape[0] / groups, -1).reshape(weight.shape[0], -1, 1, 1);
        return (weight.Times(shares), null);
    }
}
