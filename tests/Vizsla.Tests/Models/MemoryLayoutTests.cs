using System.Text.Json.Nodes;
using TorchSharp;
using Vizsla.Models;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models;

/// <summary>Every family of convolutional networks trains with the channels of each place side by side, and to the same gradients.</summary>
[Collection(nameof(RunAlone))]
[Trait("Category", "Slow")]
public sealed class MemoryLayoutTests
{
    // Float32 sums in another order, through fifty layers whose batch norms see a few places: against the largest gradient.
    private const double Near = 1e-2;
    private const int StepCount = 2;

    [Theory]
    [InlineData("""{"architecture":"resnet18"}""", 64)]
    [InlineData("""{"architecture":"efficientnet_b0"}""", 64)]
    [InlineData("""{"architecture":"tf_efficientnet_lite0"}""", 65)]
    [InlineData("""{"model_type":"resnet","downsample_in_bottleneck":true}""", 64)]
    [InlineData("""{"model_type":"resnet","layer_type":"basic","embedding_size":8,"hidden_sizes":[8,16,24,32],"depths":[1,1,1,1]}""", 33)]
    [InlineData("""{"model_type":"mobilenet_v2","depth_multiplier":0.35}""", 65)]
    [InlineData("""{"model_type":"efficientnet","width_coefficient":1.0,"depth_coefficient":1.0,"image_size":64,"hidden_dim":1280,"dropout_rate":0,"drop_connect_rate":0}""", 64)]
    [InlineData("""{"model_type":"convnext","depths":[1,1,2,1],"hidden_sizes":[40,80,160,320]}""", 64)]
    public void Gradients_do_not_depend_on_the_order_in_memory(string json, int side)
    {
        using var network = Build(json);
        using var generator = new Generator(3);
        using var pixels = randn([4, 3, side, side], generator: generator);

        network.KeepsMemoryLayout = true;
        var apart = Gradients(network, pixels);
        network.KeepsMemoryLayout = false;
        var together = Gradients(network, pixels);

        var largest = apart.Values.Max();
        Assert.All(apart.Keys, name => Assert.InRange(Math.Abs(apart[name] - together[name]), 0, Near * largest));
    }

    private static ClassificationNetwork Build(string json)
    {
        var configuration = new ModelConfiguration(JsonNode.Parse(json)!.AsObject());
        configuration.SetLabels(["cat", "dog", "fish"]);
        var network = Architectures.Build(configuration);
        _ = manual_seed(1);
        network.Initialize();
        return network;
    }

    /// <summary>Norms of all gradients after a few passes in training, running statistics put back.</summary>
    private static Dictionary<string, double> Gradients(ClassificationNetwork network, Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var labels = tensor(new long[] { 0, 1, 2, 0 });
        network.train();

        // Dropout draws the same both times.
        _ = manual_seed(2);
        for (var step = 0; step < StepCount; step++)
        {
            network.zero_grad();
            nn.functional.cross_entropy(network.forward(pixels), labels).backward();
        }

        return network.named_parameters().ToDictionary(p => p.name, p => (double)p.parameter.grad!.norm().item<float>());
    }
}
