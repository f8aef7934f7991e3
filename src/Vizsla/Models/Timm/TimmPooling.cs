using Vizsla.Models.Layers;
using Vizsla.Primitives;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

/// <summary>timm's global pooling of a plane.</summary>
/// <remarks>Source: timm <c>SelectAdaptivePool2d</c>. Parity: 1e-6.</remarks>
internal sealed class TimmPooling
{
    private static readonly string[] _kinds = ["avg", "avgmax", "catavgmax", "max"];
    private static readonly long[] _plane = [2, 3];
    private readonly string _kind;

    /// <param name="kind">timm's name; null takes the mean.</param>
    /// <exception cref="ModelLoadException">The name is not known.</exception>
    public TimmPooling(string? kind)
    {
        _kind = kind ?? "avg";
        if (!_kinds.Contains(_kind))
        {
            throw new ModelLoadException($"Unknown global_pool '{_kind}'. Known: {string.Join(", ", _kinds)}.{Suggestion.DidYouMean(_kind, _kinds)}");
        }
    }

    /// <summary>The pooling of a network whose head has a norm of a fixed width before it.</summary>
    /// <param name="options">Names of the pooling and of the network.</param>
    /// <exception cref="ModelLoadException">The name is not known, or its features are wider than the plane has channels.</exception>
    public static TimmPooling OfOneWidth(TimmOptions options)
    {
        var pooling = new TimmPooling(options.Pooling);
        return pooling.Multiplier == 1
            ? pooling
            : throw new ModelLoadException($"global_pool '{options.Pooling}' changes the width of the features, which the head of {options.Architecture} does not take. Known: avg, avgmax, max.");
    }

    /// <summary>Features per channel.</summary>
    public int Multiplier => _kind == "catavgmax" ? 2 : 1;

    /// <summary>Float [B, N, D] to float [B, D], twice as wide for <c>catavgmax</c>; the caller owns it.</summary>
    public Tensor ApplyToTokens(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return Apply(tokens.Transpose(1, 2).Unsqueeze(-1)).MoveToOuterDisposeScope();
    }

    /// <summary>Float [B, C, H, W] to float [B, C], twice as wide for <c>catavgmax</c>; the caller owns it.</summary>
    public Tensor Apply(Tensor plane)
    {
        using var scope = NewDisposeScope();
        var pooled = _kind switch
        {
            "avg" => plane.Mean(_plane),
            "max" => plane.Max(_plane),
            "avgmax" => plane.Mean(_plane).Plus(plane.Max(_plane)).Times(0.5),
            _ => TensorShapes.Concat([plane.Mean(_plane), plane.Max(_plane)], 1),
        };
        return pooled.MoveToOuterDisposeScope();
    }
}
