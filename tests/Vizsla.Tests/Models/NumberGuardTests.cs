using TorchSharp;
using Vizsla.Models;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models;

/// <summary>The check of a network's first batches, with kernels that were spoilt on purpose.</summary>
[Collection(RunAlone.Name)]
public sealed class NumberGuardTests : IDisposable
{
    private readonly bool _wasOn = NumberGuard.IsOn;
    private readonly ImageClassifier _model = ImageClassifier.Create("resnet18", ["cat", "dog"], seed: 3);

    public NumberGuardTests()
    {
        Assert.SkipWhen(Convolutions.Way == ConvolutionWay.Products, "skipped: this process computes convolutions without oneDNN");
        NumberGuard.IsOn = true;
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Right_numbers_pass_in_evaluation_training_and_folded(bool trains, bool folds)
    {
        using var scope = NewDisposeScope();
        using var folding = folds ? _model.Network.FoldForPrediction() : null;
        _model.Network.train(trains);

        using var scores = _model.Network.forward(randn(5, 3, 64, 64));

        Assert.Equal([5, 2], scores.shape);
        Assert.NotEqual(ConvolutionWay.Products, Convolutions.Way);
    }

    [Fact]
    public void A_wrong_kernel_is_left_for_products_and_the_scores_are_right()
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var pixels = randn(5, 3, 64, 64);
        NumberGuard.IsOn = false;
        var right = _model.Network.forward(pixels);
        NumberGuard.IsOn = true;
        Convolutions.Fault = result => result.roll(1, 1);

        var scores = _model.Network.forward(pixels);

        Assert.Equal(ConvolutionWay.Products, Convolutions.Way);
        Assert.True((scores - right).abs().max().item<float>() <= 1e-3 * right.abs().max().item<float>());
    }

    [Fact]
    public void What_is_wrong_both_ways_stops_with_one_sentence()
    {
        using var scope = NewDisposeScope();
        Convolutions.Fault = result => result.roll(1, 1);
        Convolutions.AvoidOneDnn();
        var network = _model.Network;
        var pixels = randn(3, 3, 64, 64);

        var stopped = Assert.Throws<ModelLoadException>(() => NumberGuard.Require(network, pixels, (_, _) => ones(3, 2) * tensor(float.NaN)));

        Assert.Equal(
            "This machine computes resnet18 wrong: scores of a batch of 3x3x64x64 in float32 differ from float64 by NaN of the largest score, where 0.001 is allowed; use another machine, and see what 'vizsla doctor --verbose' finds.",
            stopped.Message);
    }

    [Fact]
    public void A_machine_that_shows_its_caches_computes_nothing()
    {
        using var scope = NewDisposeScope();
        NumberGuard.IsOn = false;
        Convolutions.Fault = result => result.roll(1, 1);

        using var scores = _model.Network.forward(randn(2, 3, 64, 64));

        Assert.NotEqual(ConvolutionWay.Products, Convolutions.Way);
    }

    public void Dispose()
    {
        Convolutions.Fault = null;
        Convolutions.TrustOneDnn();
        NumberGuard.IsOn = _wasOn;
        _model.Dispose();
    }
}
