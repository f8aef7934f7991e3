using TorchSharp;
using Vizsla.Models;
using Vizsla.Native;
using Vizsla.Training.Arguments;
using static TorchSharp.torch;

namespace Vizsla.Tests.Training;

public sealed class ComputePrecisionTests
{
    [Theory]
    [InlineData("tf_efficientnet_lite0", false)]
    [InlineData("efficientnet_b0", false)]
    [InlineData("resnet18", true)]
    [InlineData("vit_tiny_patch16_224", true)]
    public void The_lower_precision_is_chosen_where_hardware_and_model_gain_by_it(string name, bool gains)
    {
        using var network = Architectures.Build(KnownModels.Find(name)!.Configure());

        var chosen = ComputePrecision.For(new TrainingArguments(), CPU, network);

        Assert.Equal(gains && CpuFeatures.HasFastBfloat16 ? ScalarType.BFloat16 : null, chosen.Training);
    }

    [Fact]
    public void Whoever_asks_for_a_precision_gets_it()
    {
        using var network = Architectures.Build(KnownModels.Find("tf_efficientnet_lite0")!.Configure());

        Assert.Equal(ScalarType.BFloat16, ComputePrecision.For(new TrainingArguments { Bf16 = true }, CPU, network).Training);
        Assert.Null(ComputePrecision.For(new TrainingArguments { Bf16 = false }, CPU, network).Training);
    }
}
