using System.Globalization;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, N tokens, D width, I inner width, h heads, K width of a head, C channels of a backbone.

/// <summary>One block of a Vision Transformer: attention and perceptron, each beside a shortcut; several of each side by side in some names.</summary>
/// <remarks>Source: timm <c>Block</c>, <c>ResPostBlock</c>, <c>ParallelThingsBlock</c>. Parity: 1e-5.</remarks>
internal sealed class TimmVitBlock : Layer
{
    private readonly List<Branch> _attentions = [];
    private readonly List<Branch> _perceptrons = [];
    private readonly bool _normsLast;
    private readonly double _normStart;
    private readonly double _dropPath;

    private TimmVitBlock(TimmVitShape shape, double dropPath, int sideBySide)
        : base(nameof(TimmVitBlock))
    {
        _dropPath = dropPath;
        _normsLast = shape.Block == "ResPostBlock";
        _normStart = _normsLast ? shape.LayerScale ?? 1 : 1;
        if (sideBySide > 1)
        {
            for (var i = 0; i < sideBySide; i++)
            {
                _attentions.Add(new Branch(
                    Add($"attns.{i}.norm", shape.MakeNorm(shape.Width)), Add($"attns.{i}.attn", new TimmVitAttention(shape)), null, MakeScale($"attns.{i}.ls", shape)));
            }

            for (var i = 0; i < sideBySide; i++)
            {
                _perceptrons.Add(new Branch(
                    Add($"ffns.{i}.norm", shape.MakeNorm(shape.Width)), null, Add($"ffns.{i}.mlp", new TimmPerceptron(shape)), MakeScale($"ffns.{i}.ls", shape)));
            }
        }
        else if (_normsLast)
        {
            var attention = Add("attn", new TimmVitAttention(shape));
            _attentions.Add(new Branch(Add("norm1", shape.MakeNorm(shape.Width)), attention, null, null));
            var perceptron = Add("mlp", new TimmPerceptron(shape));
            _perceptrons.Add(new Branch(Add("norm2", shape.MakeNorm(shape.Width)), null, perceptron, null));
        }
        else
        {
            _attentions.Add(new Branch(Add("norm1", shape.MakeNorm(shape.Width)), Add("attn", new TimmVitAttention(shape)), null, MakeScale("ls1", shape)));
            _perceptrons.Add(new Branch(Add("norm2", shape.MakeNorm(shape.Width)), null, Add("mlp", new TimmPerceptron(shape)), MakeScale("ls2", shape)));
        }
    }

    /// <summary>The block that a network's table names.</summary>
    /// <param name="shape">What all parts of the network share.</param>
    /// <param name="dropPath">Share of the pictures for which a branch is left out, in training.</param>
    /// <exception cref="ModelLoadException">The block is not built.</exception>
    public static TimmVitBlock Make(TimmVitShape shape, double dropPath) => shape.Block switch
    {
        "Block" or "ResPostBlock" => new TimmVitBlock(shape, dropPath, 1),
        "ParallelThingsBlock" => new TimmVitBlock(shape, dropPath, 2),
        _ => throw new ModelLoadException($"The block '{shape.Block}' of timm is not supported."),
    };

    /// <param name="tokens">Float [B, N, D].</param>
    /// <param name="trace">Takes the attention where it asks for it.</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var x = tokens;
        foreach (var branches in new[] { _attentions, _perceptrons })
        {
            var sum = branches.Select(b => Apply(b, x, trace)).Aggregate((left, right) => left.Plus(right));
            x = x.Plus(sum);
        }

        return x.MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        foreach (var branch in _normsLast ? _attentions.Concat(_perceptrons) : [])
        {
            WeightInitialization.Fill(branch.Norm.get_parameter("weight"), _normStart);
        }
    }

    private Tensor Apply(Branch branch, Tensor x, NetworkTrace? trace)
    {
        var start = _normsLast ? x : branch.Norm.Forward(x);
        var made = branch.Attention?.Forward(start, trace) ?? branch.Perceptron!.Forward(start);
        made = _normsLast ? branch.Norm.Forward(made) : made;
        return StochasticDepth.Apply(branch.Scale?.Forward(made) ?? made, _dropPath, training);
    }

    private TimmLayerScale? MakeScale(string name, TimmVitShape shape) =>
        shape.LayerScale is { } start ? Add(name, new TimmLayerScale(shape.Width, start, areTokens: true)) : null;

    private sealed record Branch(TensorLayer Norm, TimmVitAttention? Attention, TimmPerceptron? Perceptron, TimmLayerScale? Scale);
}

/// <summary>Attention between all tokens, with queries, keys and values of one layer.</summary>
/// <remarks>Source: timm <c>Attention</c>. Parity: 1e-5.</remarks>
internal sealed class TimmVitAttention : Layer
{
    private readonly Dense _joined;
    private readonly TensorLayer? _queryNorm;
    private readonly TensorLayer? _keyNorm;
    private readonly Dense _mixed;
    private readonly int _heads;

    public TimmVitAttention(TimmVitShape shape)
        : base(nameof(TimmVitAttention))
    {
        _heads = shape.Heads;
        _joined = Add("qkv", new Dense(shape.Width, 3 * shape.Width, shape.HasJoinedBias));
        _queryNorm = shape.HasHeadNorms ? Add("q_norm", shape.MakeNorm(shape.Width / shape.Heads)) : null;
        _keyNorm = shape.HasHeadNorms ? Add("k_norm", shape.MakeNorm(shape.Width / shape.Heads)) : null;
        _mixed = Add("proj", new Dense(shape.Width, shape.Width));
    }

    /// <param name="tokens">Float [B, N, D].</param>
    /// <param name="trace">Takes the attention where it asks for it.</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var parts = _joined.Forward(tokens).Chunk(3, -1);                                       // 3 x [B, N, D]
        var (query, key) = (Normalized(parts[0], _queryNorm), Normalized(parts[1], _keyNorm));
        return _mixed.Forward(Attention.Mix(query, key, parts[2], _heads, trace: trace)).MoveToOuterDisposeScope();
    }

    private Tensor Normalized(Tensor tokens, TensorLayer? norm) =>
        norm is null ? tokens : norm.Forward(tokens.Unflatten(2, _heads, -1)).Flatten(2);
}

/// <summary>Two linear layers with an activation between them; in some names half of the inside gates the other half.</summary>
/// <remarks>Source: timm <c>Mlp</c>, <c>GluMlp</c>. Parity: 1e-5.</remarks>
internal sealed class TimmPerceptron : TensorLayer
{
    private readonly Dense _widen;
    private readonly Dense _narrow;
    private readonly Func<Tensor, Tensor> _function;
    private readonly bool _isGated;
    private readonly bool _gatesLast;

    public TimmPerceptron(TimmVitShape shape)
        : this(shape.Width, shape.InnerWidth, shape.Activation, shape.IsGated)
    {
    }

    /// <param name="width">Width of the tokens.</param>
    /// <param name="inner">Width inside.</param>
    /// <param name="activation">timm's name of the activation.</param>
    /// <param name="isGated">Whether one half inside, activated, gates the other.</param>
    /// <param name="gatesLast">Whether that is the second half.</param>
    public TimmPerceptron(int width, int inner, string activation, bool isGated = false, bool gatesLast = false)
        : base(nameof(TimmPerceptron))
    {
        (_isGated, _gatesLast) = (isGated, gatesLast);
        _function = TimmStyle.FunctionOf(activation);
        _widen = Add("fc1", new Dense(width, inner));
        _narrow = Add("fc2", new Dense(isGated ? inner / 2 : inner, width));
    }

    /// <param name="input">Float [B, N, D].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _widen.Forward(input);                                                          // [B, N, I]
        if (_isGated)
        {
            var parts = x.Chunk(2, -1);
            var gated = _gatesLast ? parts[0].Times(_function(parts[1])) : _function(parts[0]).Times(parts[1]);
            return _narrow.Forward(gated).MoveToOuterDisposeScope();
        }

        return _narrow.Forward(_function(x)).MoveToOuterDisposeScope();
    }
}

/// <summary>A learned query that gathers what matters from all tokens.</summary>
/// <remarks>Source: timm <c>AttentionPoolLatent</c>. Parity: 1e-5.</remarks>
internal sealed class TimmAttentionPool : TensorLayer
{
    private readonly ParameterSlot _latent;
    private readonly Dense _query;
    private readonly Dense _joined;
    private readonly Dense _mixed;
    private readonly TensorLayer _norm;
    private readonly TimmPerceptron _perceptron;
    private readonly int _heads;
    private readonly int _width;

    public TimmAttentionPool(TimmVitShape shape)
        : base(nameof(TimmAttentionPool))
    {
        (_heads, _width) = (shape.Heads, shape.Width);
        _latent = AddParameter("latent", 1, 1, _width);
        _query = Add("q", new Dense(_width, _width));
        _joined = Add("kv", new Dense(_width, 2 * _width));
        _mixed = Add("proj", new Dense(_width, _width));
        _norm = Add("norm", shape.MakeNorm(_width));
        _perceptron = Add("mlp", new TimmPerceptron(_width, shape.InnerWidth, shape.Activation));
    }

    /// <param name="input">Float [B, N, D].</param>
    /// <returns>Float [B, D]; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var query = _query.Forward(_latent.Value.Expand(input.shape[0], -1, -1));               // [B, 1, D]
        var parts = _joined.Forward(input).Chunk(2, -1);                                        // 2 x [B, N, D]
        var x = _mixed.Forward(Attention.Mix(query, parts[0], parts[1], _heads));               // [B, 1, D]
        return x.Plus(_perceptron.Forward(_norm.Forward(x))).Select(1, 0).MoveToOuterDisposeScope();
    }

    public override void ResetParameters() => WeightInitialization.TruncatedNormal(_latent.Value, 1 / Math.Sqrt(_width));
}

/// <summary>What cuts a picture into patches: one convolution, in hybrids behind a convolutional network.</summary>
/// <remarks>Source: timm <c>PatchEmbed</c>, <c>HybridEmbed</c>. Parity: 1e-5.</remarks>
internal sealed class TimmPatches
{
    private const string Prefix = "patch_embed.backbone.";
    private readonly Func<Tensor, Tensor>? _backbone;
    private readonly Convolution _projection;

    /// <param name="owner">The network.</param>
    /// <param name="arguments">What the table gives the class.</param>
    /// <param name="options">Channels of the pictures.</param>
    /// <param name="width">Width of the tokens.</param>
    /// <param name="hasBias">Whether the convolution has a bias.</param>
    public TimmPatches(nn.Module owner, ModelConfiguration arguments, TimmOptions options, int width, bool hasBias)
    {
        var side = arguments.WholeNumber("patch_size", 16);
        var channels = options.Channels;
        var factor = 1;
        if (arguments.TextOrNull("embed_layer") is { } layer)
        {
            // A stem alone halves a picture twice, each further stage once.
            var backbone = TimmSpec.Parse(TimmSpec.Parse(layer).Arguments["backbone"]);
            int[] numbers = [.. backbone.Arguments.Values.First().Trim('[', ']').Split(',', StringSplitOptions.RemoveEmptyEntries).Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
            if (backbone.Name == "ResNetV2")
            {
                var trunk = new TimmResNetV2Trunk(owner, Prefix, TimmResNetV2Shape.Hybrid(numbers), options, isStemAlone: numbers.Length == 0);
                (_backbone, channels, factor) = (x => trunk.Forward(x, null), trunk.Outputs, 4 << Math.Max(0, numbers.Length - 1));
            }
            else
            {
                var variant = TimmVariants.All[backbone.Name];
                var trunk = new TimmResNetTrunk(owner, Prefix, new ModelConfiguration(variant.Arguments, backbone.Name), options, numbers[0]);
                (_backbone, channels, factor) = (x => trunk.Forward(x, null), trunk.Outputs, 2 << numbers[0]);
            }
        }

        OptionChecks.Patches(options.ImageSize, (side * factor, side * factor));
        PatchSize = (side * factor, side * factor);
        _projection = ModuleTree.Add(owner, "patch_embed.proj", new Convolution(channels, width, new ConvolutionOptions(side) { Stride = (side, side), HasBias = hasBias }));
    }

    /// <summary>Height and width of a patch in pixels.</summary>
    public (int Height, int Width) PatchSize { get; }

    /// <summary>Rows and columns of patches of a network's own picture size.</summary>
    public static (int Rows, int Columns) GridOf(ModelConfiguration arguments, (int Height, int Width) size)
    {
        var side = arguments.WholeNumber("patch_size", 16) * FactorOf(arguments);
        return (size.Height / side, size.Width / side);
    }

    /// <param name="pixels">Float [B, C, H, W].</param>
    /// <returns>Float [B, D, H / patch, W / patch], in the caller's scope.</returns>
    public Tensor Forward(Tensor pixels) => _projection.Forward(_backbone?.Invoke(pixels) ?? pixels);

    private static int FactorOf(ModelConfiguration arguments)
    {
        if (arguments.TextOrNull("embed_layer") is not { } layer)
        {
            return 1;
        }

        var backbone = TimmSpec.Parse(TimmSpec.Parse(layer).Arguments["backbone"]);
        var numbers = backbone.Arguments.Values.First().Trim('[', ']').Split(',', StringSplitOptions.RemoveEmptyEntries);
        return backbone.Name == "ResNetV2" ? 4 << Math.Max(0, numbers.Length - 1) : 2 << int.Parse(numbers[0], CultureInfo.InvariantCulture);
    }
}
