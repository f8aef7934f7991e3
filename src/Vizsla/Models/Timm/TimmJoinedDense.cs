using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

/// <summary>Queries, keys and values of one linear layer whose bias is kept in two parameters: keys have none.</summary>
/// <remarks>Source: timm's <c>qkv</c> with <c>q_bias</c> and <c>v_bias</c> in <c>beit.py</c>, <c>eva.py</c>, <c>swin_transformer_v2.py</c>. Parity: 1e-6.</remarks>
internal sealed class TimmJoinedDense
{
    private readonly Dense _weight;
    private readonly (ParameterSlot Query, ParameterSlot Value)? _bias;
    private readonly int _width;

    /// <param name="owner">The attention below which the parameters hang.</param>
    /// <param name="inputs">Width of the tokens.</param>
    /// <param name="width">Width of the queries, of the keys and of the values.</param>
    /// <param name="hasBias">Whether queries and values have a bias.</param>
    public TimmJoinedDense(Layer owner, int inputs, int width, bool hasBias)
    {
        _width = width;
        _bias = hasBias ? (ModuleTree.AddParameter(owner, "q_bias", width), ModuleTree.AddParameter(owner, "v_bias", width)) : null;
        _weight = ModuleTree.Add(owner, "qkv", new Dense(inputs, 3 * width, hasBias: false));
    }

    /// <param name="tokens">Float [B, N, inputs].</param>
    /// <returns>Queries, keys and values, float [B, N, width] each, in the caller's scope.</returns>
    public Tensor[] Forward(Tensor tokens)
    {
        if (_bias is not { } bias)
        {
            return _weight.Forward(tokens).Chunk(3, -1);
        }

        var none = TensorShapes.Constant(new float[_width], [_width], tokens.device, bias.Query.Value.dtype);
        var whole = TensorShapes.Concat([bias.Query.Value, none, bias.Value.Value], 0);
        var joined = _weight is { Adapter: null, Meter: null } ? tokens.Linear(_weight.Weight, whole) : _weight.Forward(tokens).Plus(whole);
        return joined.Chunk(3, -1);
    }

    /// <summary>Sets the bias to zero.</summary>
    public void ResetBias()
    {
        WeightInitialization.Fill(_bias?.Query.Value, 0);
        WeightInitialization.Fill(_bias?.Value.Value, 0);
    }
}
