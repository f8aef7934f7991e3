using Vizsla.Models;
using Vizsla.Training.Optimizers;

namespace Vizsla.Tests.Training.Optimizers;

public sealed class ParameterGroupsTests
{
    [Fact]
    public void Biases_and_norms_do_not_decay()
    {
        using var network = Build("vit-nano");

        var groups = ParameterGroups.Create(network, new TrainingArguments { WeightDecay = 0.1 });

        Assert.Equal(2, groups.Count);
        Assert.Equal([0.1, 0], groups.Select(g => g.WeightDecay));
        Assert.Contains(groups[0].Parameters, p => p.Name == "vit.embeddings.cls_token");
        Assert.Contains(groups[0].Parameters, p => p.Name == "classifier.weight");
        Assert.All(groups[1].Parameters, p => Assert.Matches("bias|layernorm", p.Name));
        Assert.All(groups[0].Parameters, p => Assert.DoesNotMatch("bias|layernorm", p.Name));
    }

    [Fact]
    public void The_batch_norms_of_timm_decay_as_in_Python()
    {
        using var network = Build("resnet18");

        var groups = ParameterGroups.Create(network, new TrainingArguments { WeightDecay = 0.1 });

        Assert.Contains(groups[0].Parameters, p => p.Name == "bn1.weight");
        Assert.Contains(groups[1].Parameters, p => p.Name == "bn1.bias");
    }

    [Fact]
    public void Two_groups_stand_even_where_one_is_empty()
    {
        using var network = Build("vit-nano");

        var groups = ParameterGroups.Create(network, new TrainingArguments(), new HashSet<string> { "classifier.bias" });

        Assert.Empty(groups[0].Parameters);
        Assert.Equal("classifier.bias", Assert.Single(groups[1].Parameters).Name);
    }

    [Fact]
    public void Named_parameters_learn_at_their_own_rate()
    {
        using var network = Build("vit-nano");
        var arguments = new TrainingArguments { LearningRate = 1e-5, ParameterLearningRates = new Dictionary<string, double> { ["^classifier"] = 1e-3 } };

        var groups = ParameterGroups.Create(network, arguments);

        Assert.Equal([1e-5, 1e-5, 1e-3, 1e-3], groups.Select(g => g.LearningRate));
        Assert.Equal(["classifier.weight"], groups[2].Parameters.Select(p => p.Name));
        Assert.Equal(["classifier.bias"], groups[3].Parameters.Select(p => p.Name));
    }

    [Fact]
    public void Layers_of_a_vision_transformer_learn_the_less_the_deeper_they_lie()
    {
        using var network = Build("vit-nano");

        var groups = ParameterGroups.Create(network, new TrainingArguments { LearningRate = 1, LayerDecay = 0.5 });

        // vit-nano: embeddings, four blocks, the head; the last norm belongs to the last block.
        double RateOf(string name) => groups.Single(g => g.Parameters.Any(p => p.Name == name)).LearningRate;
        Assert.Equal(1, RateOf("classifier.weight"));
        Assert.Equal(0.5, RateOf("vit.layernorm.weight"));
        Assert.Equal(0.5, RateOf("vit.encoder.layer.3.output.dense.weight"));
        Assert.Equal(0.0625, RateOf("vit.encoder.layer.0.output.dense.weight"));
        Assert.Equal(0.03125, RateOf("vit.embeddings.cls_token"));
    }

    [Theory]
    [InlineData("vit-nano")]
    [InlineData("vit_tiny_patch16_224")]
    [InlineData("resnet18")]
    [InlineData("tf_efficientnet_lite0")]
    [InlineData("vgg19_bn")]
    [InlineData("inception_v4")]
    public void Every_parameter_is_in_one_group(string variant)
    {
        using var network = Build(variant);

        var groups = ParameterGroups.Create(network, new TrainingArguments { LayerDecay = 0.9 });

        Assert.Equal(
            network.named_parameters().Select(p => p.name).Order(StringComparer.Ordinal),
            groups.SelectMany(g => g.Parameters).Select(p => p.Name).Order(StringComparer.Ordinal));
        Assert.Equal(1, groups.Max(g => g.LearningRate) / new TrainingArguments().LearningRate, 12);
        Assert.True(groups.Select(g => g.LearningRate).Distinct().Count() > 3);
    }

    private static ClassificationNetwork Build(string variant)
    {
        var configuration = Architectures.Variant(variant);
        configuration.SetLabels(["a", "b"]);
        return Architectures.Build(configuration);
    }
}
