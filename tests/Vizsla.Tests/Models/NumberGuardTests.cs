using TorchSharp;
using Vizsla.Adapters;
using Vizsla.Models;
using Vizsla.Native;
using Vizsla.Testing;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models;

/// <summary>The check of a network's first batches, with kernels that were spoilt on purpose.</summary>
[Collection(RunAlone.Name)]
public sealed class NumberGuardTests : IDisposable
{
    private readonly bool _wasOn = NumberGuard.IsOn;
    private readonly TemporaryFolder _folder = new();
    private readonly ImageClassifier _model = ImageClassifier.Create("resnet18", ["cat", "dog"], seed: 3);

    private static string Reason => ProcessorCaches.AreHidden ? "this machine hides its processor's caches" : "oneDNN was found wrong";

    public NumberGuardTests()
    {
        Assert.SkipWhen(Convolutions.Way == ConvolutionWay.Products, "skipped: this process computes convolutions without oneDNN");
        NumberGuard.IsOn = true;
        ConvolutionVerdict.Folder = _folder["verdicts"];
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Below_an_adapter_a_wrong_kernel_is_found_too(bool isWrong)
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        _model.AddAdapter(new LoraConfig { TargetModules = ["layer4.1.conv2"] });
        Convolutions.Fault = isWrong ? result => result.roll(1, 1) : null;

        using var scores = _model.Network.forward(randn(3, 3, 64, 64));

        Assert.Equal(isWrong, Convolutions.Way == ConvolutionWay.Products);
    }

    [Theory]
    [InlineData("predict")]
    [InlineData("embed")]
    [InlineData("explain")]
    public void Whatever_computes_with_a_network_leaves_a_wrong_kernel(string what)
    {
        using var picture = new Vizsla.Imaging.Image(64, 64);
        picture.Pixels.Fill(90);
        Func<float> compute = what switch
        {
            "predict" => () => _model.Predict(picture)[0].Score,
            "embed" => () => _model.Embed(picture).Sum(),
            _ => () => new Vizsla.Inference.PicturePredictor(_model.Network, _model.Processor.ToPipeline()).Explain(picture).Prediction.Score,
        };
        NumberGuard.IsOn = false;
        var right = compute();
        NumberGuard.IsOn = true;
        Convolutions.Fault = result => result.roll(1, 1);

        var score = compute();

        Assert.Equal(ConvolutionWay.Products, Convolutions.Way);
        Assert.Equal(right, score, 1e-3f * Math.Abs(right));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_wrong_gradient_is_found_before_a_training_and_of_no_matter_to_a_prediction(bool trains)
    {
        using var scope = NewDisposeScope();
        Convolutions.Fault = result => result + (result - result.detach());
        _model.Network.train(trains);

        using var scores = _model.Network.forward(randn(5, 3, 64, 64));

        Assert.Equal(trains, Convolutions.Way == ConvolutionWay.Products);
    }

    [Fact]
    public void The_convolutions_of_a_network_are_recorded_as_they_are_computed()
    {
        using var scope = NewDisposeScope();
        using var threads = new Training.OneThread();
        using var folding = _model.Network.FoldForPrediction();
        NumberGuard.IsOn = false;

        var cases = Convolutions.Record(() => _model.Network.forward(randn(5, 3, 64, 64)).Dispose()).Select(c => c.ToString()).ToList();

        Assert.Equal(cases.Distinct(), cases);
        Assert.Equal("3->64 7x7 stride 2 on 5x64x64, channels last, fp32, 1 thread", cases[0]);
        Assert.Contains("256->512 1x1 stride 2 on 5x4x4, channels last, fp32, 1 thread", cases);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_network_that_amplifies_rounding_is_not_the_machine_s_fault(bool avoidsOneDnn)
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var pixels = randn(1, 3, 64, 64);
        NumberGuard.IsOn = false;
        // What is left of the scores is the rounding of one way to compute them.
        var head = _model.Network.State().Single(s => s.Name == "fc.bias").Value;
        head.sub_(_model.Network.forward(pixels).squeeze(0));
        NumberGuard.IsOn = true;
        if (avoidsOneDnn)
        {
            Convolutions.AvoidOneDnn();
        }

        using var scores = _model.Network.forward(pixels);

        Assert.Equal(avoidsOneDnn, Convolutions.Way == ConvolutionWay.Products);
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
            "This machine computes resnet18 wrong, with convolutions as matrix products too: scores of a batch of 3x3x64x64 in float32 differ from float64 by NaN of the largest score, where 0.001 is allowed; use another machine, and see what 'vizsla doctor --verbose' finds.",
            stopped.Message);
    }

    [Fact]
    public void A_run_says_which_way_its_convolutions_were_computed_in_the_end_and_its_logger_hears_it()
    {
        using var run = new Training.TinyRun();
        using var threads = new Training.OneThread();
        using var model = run.Model();
        using var log = new Training.ListLog();
        Convolutions.ForgetTold();
        Convolutions.Fault = result => result.roll(1, 1);
        using var trainer = new Trainer(
            model, run.Arguments() with { EvalStrategy = IntervalStrategy.No, LoadBestModelAtEnd = false, NumTrainEpochs = 1 }, Training.TinyRun.Train(5), options: new() { Logger = log });

        trainer.Train();

        Assert.Contains("\"convolutions\": \"matrix products\"", File.ReadAllText(Path.Combine(run.Output(), "training_args.json")), StringComparison.Ordinal);
        Assert.Contains("- Convolutions: matrix products\n", File.ReadAllText(Path.Combine(run.Output(), "README.md")), StringComparison.Ordinal);
        Assert.Single(log.Lines, line => line == $"Convolutions are computed by matrix products, since {Reason}.");
    }

    [Fact]
    public void A_library_user_hears_once_that_convolutions_are_computed_another_way()
    {
        using var picture = new Vizsla.Imaging.Image(64, 64);
        using var log = new Training.ListLog();
        Convolutions.ForgetTold();
        Convolutions.AvoidOneDnn();

        _model.Predict(picture);
        _model.Logger = log;
        _model.Predict(picture);
        _model.Predict(picture);

        Assert.Equal([$"Convolutions are computed by matrix products, since {Reason}."], log.Lines);
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
        Convolutions.ForgetTold();
        NumberGuard.IsOn = _wasOn;
        ConvolutionVerdict.Folder = null;
        _model.Dispose();
        _folder.Dispose();
    }
}
