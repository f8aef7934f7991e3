using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Models;
using Vizsla.Native;
using Vizsla.Tests.Training;
using Vizsla.Training.Data;
using Vizsla.Training.RateSearch;
using static TorchSharp.torch;

namespace Vizsla.Tests.Native;

/// <summary>
/// Every tensor is disposed by whoever made it: one that is left to the garbage collector can be freed while libtorch still reads it.
/// </summary>
[Collection(TrainsAlone.Name)]
public sealed class KeptTensorsTests
{
    public static TheoryData<string> Works => [.. Kinds.Keys];

    private static Dictionary<string, Action<TinyRun>> Kinds { get; } = new()
    {
        ["training"] = run => Assert.True(run.Train(run.Arguments() with { MixupAlpha = 0.4, LabelSmoothingFactor = 0.1, ClassWeights = ClassWeights.Balanced })),
        ["training in bfloat16, with a moving average"] = run => Assert.True(run.Train(run.Arguments() with { EmaDecay = 0.9, Bf16 = true })),
        ["probing, then fine-tuning"] = run => Assert.True(run.Train(run.Arguments() with { Freeze = ["backbone"], UnfreezeAtEpoch = 1, UnfreezeLearningRate = 1e-3, FeatureCache = true })),
        ["stopping and going on"] = run =>
        {
            var arguments = run.Arguments() with { ResumeFromCheckpoint = "true", EmaDecay = 0.9, Optim = OptimizerName.Sgd, SavePythonState = true };
            Assert.False(run.Train(arguments, stopAfter: 7));
            Assert.True(run.Train(arguments));
        },
        ["looking for a learning rate"] = run =>
        {
            using var model = run.Model();
            using var trainer = new Trainer(model, run.Arguments(), TinyRun.Train(), TinyRun.Eval());
            trainer.FindLearningRate(new LearningRateSearch { Steps = 10 });
        },
        ["evaluating, saving, loading, predicting, explaining"] = run =>
        {
            using (var model = run.Model())
            {
                using var trainer = new Trainer(model, run.Arguments(), evalDataset: TinyRun.Eval());
                trainer.Evaluate();
                model.Save(run.Output("saved"));
            }

            using var loaded = ImageClassifier.FromPretrained(run.Output("saved"));
            var predictor = new PicturePredictor(loaded.Network, loaded.Processor.ToPipeline());
            using var picture = new Image(16, 16);
            _ = loaded.Predict(picture);
            _ = predictor.Explain(picture);
        },
        ["building a network of each family"] = _ =>
        {
            foreach (var name in new[] { "resnet18", "tf_efficientnet_lite0", "vit_tiny_patch16_224" })
            {
                using var network = Architectures.Build(KnownModels.Find(name)!.Configure());
                network.Initialize();
                using var folded = network.FoldForPrediction();
                network.eval();
                using var noGradient = no_grad();
                using var pixels = zeros(1, 3, 224, 224);
                network.call(pixels).Dispose();
            }
        },
    };

    [Theory]
    [MemberData(nameof(Works))]
    public void No_tensor_is_left_to_the_collector(string work)
    {
        using var run = new TinyRun();
        var before = CollectedTensors.Count();

        Kinds[work](run);

        Assert.Equal(before, CollectedTensors.Count());
    }

    [Fact]
    public void A_tensor_that_is_left_to_the_collector_is_counted()
    {
        var before = CollectedTensors.Count();

        Leave();

        Assert.Equal(before + 1, CollectedTensors.Count());
    }

    [Fact]
    public void A_copy_has_the_values_and_no_gradient()
    {
        using var value = ones(3, requires_grad: true);

        using var copy = value.Copy();

        Assert.False(copy.requires_grad);
        Assert.Equal([1f, 1f, 1f], copy.data<float>().ToArray());
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Leave() => _ = ones(1);
}
