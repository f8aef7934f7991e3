using System.Text.Json.Nodes;
using TorchSharp;
using Vizsla.Models;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models;

/// <summary>Every family of convolutional networks trains to the gradients of float64, whether a picture's planes lie apart or the channels of each place side by side.</summary>
/// <remarks>
/// A drawn network of many layers cannot be compared with float64 as a whole: one value of a million that falls to the other side of ReLU's zero by rounding moves the gradient by a hundredth,
/// in either order. So the whole is compared in float64, where none does, and in float32 layer by layer; networks of smooth activations are compared as a whole in float32 too.
/// </remarks>
[Collection(nameof(RunAlone))]
[Trait("Category", "Slow")]
public sealed class MemoryLayoutTests
{
    // Float32 keeps 6e-8 of a value; sums of some ten thousand products lose a factor of some tens. Against the norm of the gradient in float64; 1.7e-6 was the most that was seen.
    private const double Near = 5e-6;

    // Float64 keeps 1e-16; normalizing over few places magnifies the rounding from layer to layer.
    private const double NearInFloat64 = 1e-9;

    // What is smaller than this share of the largest gradient is judged beside that share.
    private const double Small = 1e-3;

    // What is below the first share of the largest gradient is zero but for rounding, as of a bias whose shift the next batch norm takes away, and must be below the second.
    private const double Zero = 1e-12;
    private const double NearZero = 1e-6;
    private const int Batch = 4;

    public static TheoryData<string, int> Networks => new()
    {
        { """{"architecture":"resnet18"}""", 34 },
        { """{"architecture":"resnet50"}""", 34 },
        { """{"architecture":"efficientnet_b0"}""", 34 },
        { """{"architecture":"efficientnet_b2"}""", 34 },
        { """{"architecture":"tf_efficientnet_lite0"}""", 35 },
        { """{"architecture":"tf_efficientnet_lite3"}""", 35 },
        { """{"architecture":"vgg16_bn"}""", 32 },
        { """{"architecture":"inception_v4"}""", 107 },
        { """{"model_type":"resnet"}""", 34 },
        { """{"model_type":"resnet","downsample_in_bottleneck":true}""", 34 },
        { """{"model_type":"resnet","layer_type":"basic","embedding_size":8,"hidden_sizes":[8,16,24,32],"depths":[1,1,1,1]}""", 33 },
        { """{"model_type":"mobilenet_v2","classifier_dropout_prob":0}""", 35 },
        { """{"model_type":"mobilenet_v2","classifier_dropout_prob":0,"depth_multiplier":0.35}""", 35 },
        { """{"model_type":"efficientnet","width_coefficient":1.0,"depth_coefficient":1.0,"image_size":64,"hidden_dim":1280,"dropout_rate":0,"drop_connect_rate":0}""", 34 },
        { """{"model_type":"convnext","depths":[1,1,2,1],"hidden_sizes":[40,80,160,320]}""", 34 },
    };

    [Theory]
    [MemberData(nameof(Networks))]
    public void Gradients_of_a_network_do_not_depend_on_the_order_in_memory(string json, int side)
    {
        using var network = Build(json);
        network.to(ScalarType.Float64);
        using var scope = NewDisposeScope();
        var pixels = Pixels(side).to(ScalarType.Float64);

        network.KeepsMemoryLayout = true;
        var apart = Gradients(network, pixels);
        network.KeepsMemoryLayout = false;
        var together = Gradients(network, pixels);

        AssertNear(apart, together, NearInFloat64);
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Gradients_of_every_layer_are_those_of_float64_in_either_order(string json, int side)
    {
        using var network = Build(json);
        network.train();
        foreach (var (layer, shape) in Layers(network, side))
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator(5);
            var input = randn(shape, generator: generator);

            var apart = Gradients(layer, input);
            var together = network.AllowsChannelsLast ? Gradients(layer, MemoryLayout.ChannelsLast(input)) : apart;
            layer.to(ScalarType.Float64);
            var exact = Gradients(layer, input.to(ScalarType.Float64));

            AssertNear(exact, apart, Near);
            AssertNear(exact, together, Near);
        }
    }

    [Theory]
    [InlineData("""{"model_type":"efficientnet","width_coefficient":1.0,"depth_coefficient":1.0,"image_size":64,"hidden_dim":1280,"dropout_rate":0,"drop_connect_rate":0}""", 64)]
    [InlineData("""{"model_type":"convnext","depths":[1,1,2,1],"hidden_sizes":[40,80,160,320]}""", 64)]
    public void Gradients_of_a_network_without_kinks_are_those_of_float64_in_either_order(string json, int side)
    {
        using var network = Build(json);
        using var scope = NewDisposeScope();
        var pixels = Pixels(side);
        network.KeepsMemoryLayout = true;
        var apart = Gradients(network, pixels);
        network.KeepsMemoryLayout = false;
        var together = Gradients(network, pixels);
        network.to(ScalarType.Float64);
        var exact = Gradients(network, pixels.to(ScalarType.Float64));

        AssertNear(exact, apart, Near);
        AssertNear(exact, together, Near);
    }

    private static void AssertNear(Dictionary<string, Tensor> exact, Dictionary<string, Tensor> found, double near)
    {
        using var scope = NewDisposeScope();
        var norms = exact.ToDictionary(g => g.Key, g => g.Value.norm().item<double>());
        var largest = norms.Values.Max();
        foreach (var (name, norm) in norms)
        {
            var distance = (found[name].to(ScalarType.Float64) - exact[name]).norm().item<double>();
            var allowed = norm < Zero * largest ? NearZero * largest : near * Math.Max(norm, Small * largest);
            Assert.True(distance <= allowed, $"{name}: {distance} beside its norm {norm}, the largest being {largest}");
        }
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

    private static Tensor Pixels(int side)
    {
        using var generator = new Generator(3);
        return randn([Batch, 3, side, side], generator: generator);
    }

    /// <summary>The gradient of every parameter after a pass in training.</summary>
    private static Dictionary<string, Tensor> Gradients(ClassificationNetwork network, Tensor pixels)
    {
        network.train();
        network.zero_grad();
        using (NewDisposeScope())
        {
            nn.functional.cross_entropy(network.forward(pixels), tensor(new long[] { 0, 1, 2, 0 })).backward();
        }

        return network.named_parameters().ToDictionary(p => p.name, p => p.parameter.grad!.clone());
    }

    /// <summary>The convolutions and batch norms of a network with the shapes of what they work on; of equal ones the first.</summary>
    private static List<(TensorLayer Layer, long[] Shape)> Layers(ClassificationNetwork network, int side)
    {
        var layers = ModuleTree.Layers(network).OfType<TensorLayer>().Where(l => l is Convolution or BatchNormalization).ToList();
        var meter = new LayerMeter();
        using (no_grad())
        using (NewDisposeScope())
        {
            layers.ForEach(l => l.Meter = meter);
            network.forward(Pixels(side)).Dispose();
            layers.ForEach(l => l.Meter = null);
        }

        return [.. layers.Select(l => (Layer: l, Shape: meter.NoteOf(l)!.InputShape)).DistinctBy(l =>
            l.Layer is Convolution c ? $"{string.Join(' ', l.Shape)} to {string.Join(' ', c.Weight.shape)} {c.Options}" : string.Join(' ', l.Shape))];
    }

    /// <summary>What a layer makes, and the gradients of its input and parameters under a gradient of its own.</summary>
    private static Dictionary<string, Tensor> Gradients(TensorLayer layer, Tensor input)
    {
        using var generator = new Generator(7);
        layer.zero_grad();
        var leaf = input.detach().requires_grad_();
        var output = layer.Forward(leaf);
        output.backward([randn(output.shape, generator: generator).to(input.dtype)]);
        return layer.named_parameters().Select(p => (p.name, Value: p.parameter.grad!.clone()))
            .Append(("output", output.detach())).Append(("input", leaf.grad!.clone()))
            .ToDictionary(g => g.Item1, g => g.Item2);
    }
}
