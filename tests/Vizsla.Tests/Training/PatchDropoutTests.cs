using Vizsla.Models;
using Vizsla.Models.Layers;
using Vizsla.Testing;
using Vizsla.Training.Arguments;
using static TorchSharp.torch;

namespace Vizsla.Tests.Training;

[Collection(TrainsAlone.Name)]
public sealed class PatchDropoutTests
{
    [Fact]
    public void Keeps_the_patches_that_timm_keeps_for_the_same_seed()
    {
        using var scope = NewDisposeScope();
        var tokens = arange(14, dtype: ScalarType.Float32).reshape(2, 7, 1);
        random.manual_seed(7).Dispose();

        var kept = PatchDropout.Apply(tokens, leading: 1, rate: 0.5, isTraining: true);

        // argsort(randn(2, 6)) of that seed begins with 3, 5, 0 and with 3, 0, 5; the leading token of each picture stays.
        Assert.Equal([0f, 4, 6, 1, 7, 11, 8, 13], kept.data<float>().ToArray());
    }

    [Theory]
    [InlineData(0.25, false)]
    [InlineData(0, true)]
    public void Leaves_tokens_alone_outside_training_and_without_a_rate(double rate, bool isTraining)
    {
        using var tokens = rand(2, 7, 3);

        Assert.Same(tokens, PatchDropout.Apply(tokens, leading: 1, rate, isTraining));
    }

    [Theory]
    [InlineData("vit-nano", 17)]
    [InlineData("vit_tiny_patch16_224", 99)]
    public void Blocks_see_fewer_tokens_in_training(string variant, int tokens)
    {
        var configuration = Architectures.Variant(variant);
        configuration.SetLabels(["a", "b"]);
        using var network = Architectures.Build(configuration);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        network.Initialize();
        network.PatchDropRate = variant == "vit-nano" ? 0.75 : 0.5;
        var side = variant == "vit-nano" ? 64 : 224;
        var pixels = rand(1, 3, side, side);

        Assert.Equal(tokens, TokensOf(network, pixels));
        network.eval();
        Assert.Equal((side == 64 ? 64 : 196) + 1, TokensOf(network, pixels));
    }

    [Fact]
    public void A_run_with_fewer_patches_learns_and_resumes_to_the_bit()
    {
        using var run = new TinyRun();
        Assert.True(run.Train(run.Arguments("whole") with { PatchDropRate = 0.25 }));
        Assert.True(run.Train(run.Arguments("full")));

        var stop = 0;
        while (!run.Train(run.Arguments("stopped") with { PatchDropRate = 0.25, ResumeFromCheckpoint = "true" }, stop += 4))
        {
        }

        Assert.Equal(RunFingerprint.Of(run.Output("whole")), RunFingerprint.Of(run.Output("stopped")));
        Assert.NotEqual(RunFingerprint.Of(run.Output("whole")), RunFingerprint.Of(run.Output("full")));
    }

    [Fact]
    public void Is_refused_for_networks_that_need_all_patches()
    {
        using var run = new TinyRun();
        using var model = ImageClassifier.Create("resnet18", TinyRun.Train().ClassNames, imageSize: 32, seed: 1);
        using var trainer = new Trainer(model, run.Arguments() with { PatchDropRate = 0.5 }, TinyRun.Train(), TinyRun.Eval());

        var refusal = Assert.Throws<ArgumentsException>(() => trainer.Train());

        Assert.Equal(
            "patch_drop_rate is 0.5, but resnet18 cannot leave patches out; ViT, DeiT, DINOv2 and timm's Vision Transformers can. Leave it out.", refusal.Message);
    }

    private static long TokensOf(ClassificationNetwork network, Tensor pixels)
    {
        using var trace = new NetworkTrace();
        network.Features(pixels, trace).Dispose();
        return trace.HiddenStates[0].shape[1];
    }
}
