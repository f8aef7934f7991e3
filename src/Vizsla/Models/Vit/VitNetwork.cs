using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Vit;

// Shapes: B batch, C channels, N tokens (the class token and the patches), D width, L labels.

/// <summary>The Vision Transformer with a linear head on its class token.</summary>
/// <remarks>
/// Source: transformers <c>ViTForImageClassification</c>. Parity: logits, hidden states and gradients 1e-5; drawn weights equal to those of 4.57 for the same seed.
/// </remarks>
internal sealed class VitNetwork : ClassificationNetwork
{
    private readonly VitOptions _options;
    private readonly ParameterSlot _classToken;
    private readonly ParameterSlot _positions;
    private readonly Convolution _patches;
    private readonly List<VitLayer> _layers = [];
    private readonly LayerNormalization _last;
    private readonly Dense _classifier;

    public VitNetwork(ModelConfiguration configuration)
        : base(configuration, VitNames.ClassName, VitNames.BasePrefix)
    {
        _options = VitOptions.From(configuration);
        _classToken = AddParameter(VitNames.ClassToken, 1, 1, _options.Width);
        _positions = AddParameter(VitNames.Positions, 1, _options.PatchCount + 1, _options.Width);
        _patches = Add(VitNames.Patches, new Convolution(
            _options.Channels, _options.Width, new ConvolutionOptions(_options.PatchSize) { Stride = _options.PatchSize }));
        for (var i = 0; i < _options.LayerCount; i++)
        {
            _layers.Add(Add(VitNames.Layer(i), new VitLayer(_options)));
        }

        _last = Add(VitNames.LastNorm, new LayerNormalization(_options.Width, _options.Epsilon));
        _classifier = Add(VitNames.Classifier, new Dense(_options.Width, configuration.LabelCount));
    }

    public override IReadOnlyList<string> HeadParameterNames => VitNames.Head;

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        using var scope = NewDisposeScope();
        var x = Embed(pixels);                                                                  // [B, N, D]
        trace?.AddHiddenState(x);
        foreach (var layer in _layers)
        {
            var next = layer.Forward(x, trace);                                                 // [B, N, D]
            x.Dispose();
            x = next;
            trace?.AddHiddenState(x);
        }

        return _last.forward(x).select(1, 0).MoveToOuterDisposeScope();                         // [B, D]
    }

    public override Tensor Head(Tensor features) => _classifier.forward(features);

    public override void Initialize()
    {
        // What torch's constructors draw first and transformers replaces at once; the generator moves on all the same.
        using (var mode = no_grad())
        using (NewDisposeScope())
        {
            _classToken.Value.normal_();
            _patches.ResetParameters();
            _positions.Value.normal_();
            foreach (var projection in _layers.SelectMany(l => l.Projections))
            {
                projection.ResetParameters();
            }
        }

        Draw(_patches.Weight, _patches.Bias);
        Drawing.TruncatedNormal(_positions.Value, _options.InitializerRange);
        Drawing.TruncatedNormal(_classToken.Value, _options.InitializerRange);
        foreach (var projection in _layers.SelectMany(l => l.Projections))
        {
            Draw(projection.Weight, projection.Bias);
        }

        foreach (var norm in modules().OfType<LayerNormalization>())
        {
            norm.ResetParameters();
        }

        _classifier.ResetParameters();
        InitializeHead();
    }

    public override void InitializeHead() => Draw(_classifier.Weight, _classifier.Bias);

    private void Draw(Tensor weight, Tensor? bias)
    {
        Drawing.TruncatedNormal(weight, _options.InitializerRange);
        Drawing.Fill(bias, 0);
    }

    private Tensor Embed(Tensor pixels)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var (height, width) = (pixels.shape[2], pixels.shape[3]);
        var patches = _patches.forward(pixels).flatten(2).transpose(1, 2);                      // [B, N - 1, D]
        var token = _classToken.Value.expand(pixels.shape[0], -1, -1);                          // [B, 1, D]
        var x = cat([token, patches], 1) + Positions(height, width);                            // [B, N, D]
        return (training && _options.HiddenDropout > 0 ? nn.functional.dropout(x, _options.HiddenDropout, training) : x)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Position embeddings for a picture's size, float [1, N, D].</summary>
    private Tensor Positions(long height, long width)
    {
        var own = _options.ImageSize;
        if (!InterpolatesPositions && (height, width) != own)
        {
            throw new ArgumentException($"Input image size ({height}*{width}) doesn't match model ({own.Height}*{own.Width}).", nameof(height));
        }

        var (rows, columns) = (height / _options.PatchSize.Height, width / _options.PatchSize.Width);
        return !InterpolatesPositions || (rows * columns == _options.PatchCount && height == width)
            ? _positions.Value.alias()
            : PositionEmbeddings.Interpolate(_positions.Value, 1, rows, columns);
    }
}
