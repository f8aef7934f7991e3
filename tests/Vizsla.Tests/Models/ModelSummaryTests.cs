using TorchSharp;
using Vizsla.Models;
using Vizsla.Models.Timm;
using Vizsla.Testing;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models;

[Collection(nameof(RunAlone))]
public sealed class ModelSummaryTests
{
    // Parameters as timm 1.0.31 and transformers 5.23 count them, multiplications as torch's FlopCounterMode halved.
    [Theory]
    [InlineData("resnet18", 11_689_512, 1_814_073_344)]
    [InlineData("resnet34", 21_797_672, 3_663_761_408)]
    [InlineData("resnet50", 25_557_032, 4_089_184_256)]
    [InlineData("resnet101", 44_549_160, 7_801_405_440)]
    [InlineData("efficientnet_b0", 5_288_548, 385_814_752)]
    [InlineData("efficientnet_b1", 7_794_184, 686_802_832)]
    [InlineData("efficientnet_b2", 9_109_994, 859_853_760)]
    [InlineData("efficientnet_b3", 12_233_232, 1_589_198_096)]
    [InlineData("efficientnet_b4", 19_341_616, 3_063_687_008)]
    [InlineData("tf_efficientnet_lite0", 4_652_008, 385_187_552)]
    [InlineData("tf_efficientnet_lite1", 5_416_680, 600_185_232)]
    [InlineData("tf_efficientnet_lite2", 6_092_072, 859_736_272)]
    [InlineData("tf_efficientnet_lite3", 8_197_096, 1_607_554_544)]
    [InlineData("tf_efficientnet_lite4", 13_006_568, 3_943_564_112)]
    [InlineData("vgg16", 138_357_544, 15_470_264_320)]
    [InlineData("vgg19_bn", 143_678_248, 19_632_062_464)]
    [InlineData("inception_v4", 42_679_816, 12_253_974_624)]
    [InlineData("vit_tiny_patch16_224", 5_717_416, 1_253_683_200)]
    [InlineData("vit_small_patch16_224", 22_050_664, 4_598_882_304)]
    [InlineData("vit_base_patch16_224", 86_567_656, 17_563_828_224)]
    [InlineData("google/vit-base-patch16-224", 86_567_656, 17_563_828_224)]
    public void Parameters_and_multiplications_are_those_that_Python_counts(string name, long parameters, long products)
    {
        var summary = ModelSummary.Of(name);

        Assert.Equal((parameters, products), (summary.ParameterCount, summary.ProductCount));
    }

    [Fact]
    public void Shapes_of_the_layers_are_those_of_what_they_make()
    {
        var layers = ModelSummary.Of("tf_efficientnet_lite0").Layers.ToDictionary(l => l.Name);

        Assert.Equal([1, 32, 112, 112], layers["conv_stem"].OutputShape);
        Assert.Equal(("Conv2d", 864L, 864L * 112 * 112), (layers["conv_stem"].Kind, layers["conv_stem"].ParameterCount, layers["conv_stem"].ProductCount));
        Assert.Equal([1, 96, 56, 56], layers["blocks.1.0.conv_dw"].OutputShape);
        Assert.Equal(96L * 9 * 56 * 56, layers["blocks.1.0.conv_dw"].ProductCount);
        Assert.Equal(("BatchNorm2d", 2560L, 0L), (layers["bn2"].Kind, layers["bn2"].ParameterCount, layers["bn2"].ProductCount));
        Assert.Equal([1, 1000], layers["classifier"].OutputShape);
    }

    [Theory]
    [InlineData("efficientnet_b0")]
    [InlineData("google/mobilenet_v2_1.0_224")]
    [InlineData("microsoft/swin-tiny-patch4-window7-224")]
    [InlineData("facebook/dinov2-small-imagenet1k-1-layer")]
    public void Measured_shapes_are_those_of_a_real_pass(string name)
    {
        var known = KnownModels.Find(name)!;
        var side = known.InputSide;
        using var network = Architectures.Build(known.Configure());
        using var noGradient = no_grad();
        using var trace = new NetworkTrace();
        using var pixels = zeros(1, 3, side, side);
        network.eval();
        network.Initialize();

        var summary = ModelSummary.Of(network, side, side);
        using var features = network.Features(pixels, trace);
        using var logits = network.Head(features);

        Assert.Equal(logits.shape, summary.Layers.Last(l => l.Kind == "Linear").OutputShape);
        Assert.Contains(summary.Layers, l => l.OutputShape.SequenceEqual(trace.HiddenStates[^1].shape));
        Assert.Equal(network.parameters().Sum(p => p.numel()), summary.ParameterCount);
    }

    [Fact]
    public void A_network_answers_as_before_after_it_was_measured()
    {
        using var classifier = ImageClassifier.Create("resnet18", ["cat", "dog"], imageSize: 32, seed: 1);
        using var noGradient = no_grad();
        using var pixels = ones(1, 3, 32, 32);
        using var before = classifier.Network.forward(pixels);

        using (var leaks = new NoTensorLeaks())
        {
            ModelSummary.Of(classifier.Network, 32, 32);
        }

        using var after = classifier.Network.forward(pixels);
        Assert.Equal(before.data<float>().ToArray(), after.data<float>().ToArray());
    }

    [Fact]
    public void A_saved_model_is_measured_from_its_configuration_alone()
    {
        using var folder = new TemporaryFolder();
        using (var classifier = ImageClassifier.Create("resnet18", ["cat", "dog"], imageSize: 64, seed: 1))
        {
            classifier.Save(folder.Path);
        }

        File.Delete(Path.Combine(folder.Path, "model.safetensors"));
        var summary = ModelSummary.Of(folder.Path);

        Assert.Equal(("resnet18", 2, 11_689_512L - 998 * 513), (summary.ClassName, summary.ClassCount, summary.ParameterCount));
        Assert.Equal([3, 64, 64], summary.InputShape);
    }

    [Fact]
    public void Layers_are_joined_by_the_first_parts_of_their_names()
    {
        var whole = ModelSummary.Of("resnet18");

        var joined = whole.ToDepth(1);

        Assert.Equal(["conv1", "bn1", "layer1", "layer2", "layer3", "layer4", "fc"], joined.Layers.Select(l => l.Name));
        Assert.Equal("10 layers", joined.Layers[3].Kind);
        Assert.Equal([1, 128, 28, 28], joined.Layers[3].OutputShape);
        Assert.Equal((whole.ParameterCount, whole.ProductCount), (joined.ParameterCount, joined.ProductCount));
    }

    [Fact]
    public void Every_known_model_has_a_name_of_its_own_and_a_licence_where_it_has_weights()
    {
        Assert.Equal(KnownModels.All.Count, KnownModels.All.Select(m => m.Name).Distinct().Count());
        Assert.All(KnownModels.All, m => Assert.Equal(m.Weights is null, m.License is null));
        Assert.Equal(Architectures.Variants.Order(), KnownModels.All.Select(m => m.Name).Where(n => !n.Contains('/', StringComparison.Ordinal)).Order());
    }

    [Fact]
    public void The_size_of_the_smallest_model_of_each_kind_is_the_one_that_is_listed()
    {
        var smallest = TimmVariants.All.Values.Where(v => v.Size is not null).GroupBy(v => v.ClassName).Select(g => g.MinBy(v => v.Size!.Value.Products)!);

        Assert.All(smallest, v => Assert.Equal((v.Name, v.Size), (v.Name, Measured(KnownModels.Find(v.Name)!))));

        static (long, long)? Measured(KnownModel model) => model.Summarize() is var summary ? (summary.ParameterCount, summary.ProductCount) : null;
    }

    [Fact]
    [Trait("Category", "Slow")]
    public void Every_listed_size_is_the_measured_one()
    {
        const long Largest = 400_000_000;
        if (Environment.GetEnvironmentVariable("VIZSLA_SLOW") != "1")
        {
            Assert.Skip("skipped: builds several hundred networks; VIZSLA_SLOW=1 runs it");
        }

        foreach (var model in KnownModels.All.Where(m => m.Size is { Parameters: < Largest }))
        {
            var summary = model.Summarize();
            Assert.Equal((model.Name, model.Size), (model.Name, (summary.ParameterCount, summary.ProductCount)));
        }
    }

    [Fact]
    public void The_sizes_of_models_that_are_not_timms_are_the_measured_ones()
    {
        const long Largest = 30_000_000;
        var models = KnownModels.All.Where(m => TimmVariants.Find(m.Name) is null && m.Size is { Parameters: < Largest }).ToList();

        Assert.NotEmpty(models);
        Assert.All(models, m => Assert.Equal(m.Size, (m.Summarize() is var summary ? (summary.ParameterCount, summary.ProductCount) : default)));
    }

    [Fact]
    public void Every_model_is_listed_with_its_size() => Assert.All(KnownModels.All, m => Assert.NotNull(m.Size));
}
