using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

// Shapes: B batch, P leading tokens, N tokens (P leading ones and the patches), D width, H heads, K = D / H.

/// <summary>Rotary position embeddings: queries and keys of each patch turned by angles that follow from where it lies; leading tokens stay.</summary>
/// <param name="Sine">Sines, the first of each pair negated, float [N, 1 or H, K], or [B, N, 1 or H, K].</param>
/// <param name="Cosine">Cosines of the same shape.</param>
/// <param name="IsHalved">Whether values of the first half of a head pair with those of the second, not neighbours.</param>
/// <remarks>Source: timm <c>apply_rot_embed_cat</c>, transformers <c>apply_rotary_pos_emb</c> of DINOv3. Parity: 1e-6.</remarks>
internal readonly record struct RotaryPositions(Tensor Sine, Tensor Cosine, bool IsHalved)
{
    /// <summary>The embeddings of a picture.</summary>
    /// <param name="angles">K / 2 angles of each patch, one patch after the other.</param>
    /// <param name="width">Width K of a head.</param>
    /// <param name="leading">Leading tokens P.</param>
    /// <param name="isHalved">Whether values of the first half of a head pair with those of the second.</param>
    /// <param name="like">Decides device and precision.</param>
    public static RotaryPositions Of(float[] angles, int width, int leading, bool isHalved, Tensor like)
    {
        var pairs = width / 2;
        var tokens = leading + angles.Length / pairs;
        var (sine, cosine) = (new float[tokens * width], new float[tokens * width]);
        cosine.AsSpan(0, leading * width).Fill(1);
        for (var i = 0; i < angles.Length; i++)
        {
            var row = (leading + i / pairs) * width;
            var (first, second) = isHalved ? (row + i % pairs, row + pairs + i % pairs) : (row + 2 * (i % pairs), row + 2 * (i % pairs) + 1);
            sine[second] = (float)Math.Sin(angles[i]);
            sine[first] = -sine[second];
            cosine[first] = cosine[second] = (float)Math.Cos(angles[i]);
        }

        return new(
            TensorShapes.Constant(sine, [tokens, 1, width], like.device, like.dtype), TensorShapes.Constant(cosine, [tokens, 1, width], like.device, like.dtype), isHalved);
    }

    /// <summary>The embeddings of a picture from angles that are computed, pairs of neighbours.</summary>
    /// <param name="angles">Float [patches, H, K / 2].</param>
    /// <param name="leading">Leading tokens P.</param>
    public static RotaryPositions Of(Tensor angles, int leading)
    {
        var sine = angles.Sin();
        var (sines, cosines) = (Pairs(sine.Times(-1), sine), Pairs(angles.Cos(), angles.Cos()));
        if (leading == 0)
        {
            return new(sines, cosines, IsHalved: false);
        }

        long[] shape = [leading, sines.shape[1], sines.shape[2]];
        var values = new float[shape[0] * shape[1] * shape[2]];
        var still = TensorShapes.Constant(values, shape, angles.device, angles.dtype);
        Array.Fill(values, 1);
        var whole = TensorShapes.Constant(values, shape, angles.device, angles.dtype);
        return new(TensorShapes.Concat([still, sines], 0), TensorShapes.Concat([whole, cosines], 0), IsHalved: false);
    }

    /// <summary>Sines and cosines as one tensor for blocks that run again in the backward pass, when this object's own are gone; null where none do.</summary>
    public Tensor? Pack() => Recomputation.IsOn ? stack([Sine, Cosine]) : null;

    /// <summary>The positions with what <see cref="Pack"/> gave.</summary>
    public RotaryPositions Unpack(Tensor? packed) => packed is null ? this : this with { Sine = packed[0], Cosine = packed[1] };

    /// <summary>Turns queries or keys.</summary>
    /// <param name="tokens">Float [B, N, D].</param>
    /// <param name="heads">Number of heads H.</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    public Tensor Apply(Tensor tokens, int heads)
    {
        using var scope = NewDisposeScope();
        var split = tokens.Unflatten(2, heads, -1);                                             // [B, N, H, K]
        Tensor exchanged;                                                                       // [B, N, H, K]
        if (IsHalved)
        {
            var halves = split.Chunk(2, -1);
            exchanged = TensorShapes.Concat([halves[1], halves[0]], -1);
        }
        else
        {
            exchanged = TensorShapes.Concat([split.Every(3, 1, 2).Unsqueeze(-1), split.Every(3, 0, 2).Unsqueeze(-1)], -1).Flatten(3);
        }

        var turned = split.Times(Cosine).Plus(exchanged.Times(Sine)).Flatten(2);
        return (turned.dtype == tokens.dtype ? turned : turned.to_type(tokens.dtype)).MoveToOuterDisposeScope();
    }

    /// <summary>The embeddings of the patches that stay where others are left out, other ones of each picture.</summary>
    /// <param name="leading">Leading tokens P.</param>
    /// <param name="places">What <see cref="PatchDropout.Draw"/> gave, int64 [B, K].</param>
    public RotaryPositions Keep(int leading, Tensor places) => this with { Sine = Keep(Sine, leading, places), Cosine = Keep(Cosine, leading, places) };

    private static Tensor Pairs(Tensor first, Tensor second) => TensorShapes.Concat([first.Unsqueeze(-1), second.Unsqueeze(-1)], -1).Flatten(2);

    private static Tensor Keep(Tensor table, int leading, Tensor places) =>
        PatchDropout.Keep(table.flatten(1).unsqueeze(0).expand(places.shape[0], -1, -1), leading, places).unflatten(2, table.shape[1], -1);
}
