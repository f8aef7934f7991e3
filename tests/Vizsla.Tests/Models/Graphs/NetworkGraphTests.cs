using System.Text.Json.Nodes;
using TorchSharp;
using Vizsla.Models;
using Vizsla.Models.Graphs;
using Vizsla.Models.Layers;
using Vizsla.Testing;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models.Graphs;

/// <summary>What a network computes is recorded from its forward pass, whole, and holds for other pictures.</summary>
public sealed class NetworkGraphTests
{
    // The replay computes the same operations, some of them (a fused attention) in another order.
    private const double Near = 1e-4;

    [Theory]
    [Trait("Category", "Golden")]
    [MemberData(nameof(VitGoldenTests.Checkpoints), MemberType = typeof(VitGoldenTests))]
    public void A_recorded_graph_computes_the_logits_of_another_batch(string checkpoint)
    {
        var folder = VitGoldenTests.Folder(checkpoint);
        using var classifier = ImageClassifier.FromPretrained(folder);
        var network = classifier.Network;
        VitGoldenTests.Arrange(network, folder);
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        using var numbers = Vizsla.Models.Weights.SafetensorsFile.Open(Path.Combine(folder, "numbers.safetensors"));
        var pixels = numbers.Read("pixel_values");
        var more = cat([pixels, pixels.flip(0), pixels.flip(3)], 0)[TensorIndex.Slice(0, pixels.shape[0] * 3 - 1)];

        var graph = Recorded(network, pixels);
        var replayed = GraphReplay.Run(graph, network.State(), more);

        var expected = network.forward(more);
        var difference = (expected - replayed).abs().max().item<float>();
        Assert.True(difference <= Near * Math.Max(1, expected.abs().max().item<float>()), $"differs by {difference}");
    }

    [Fact]
    public void The_operators_of_a_vision_transformer_are_those_of_its_forward_pass()
    {
        using var network = Network("""{"model_type":"vit","hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,"intermediate_size":16,"image_size":16,"patch_size":8}""");
        using var scope = NewDisposeScope();

        var graph = Recorded(network, zeros(2, 3, 16, 16));

        Assert.Equal(
            "Convolution Reshape Permute Expand Concat Add " // patches, class token, positions
            + "LayerNormalization Linear Linear Linear Reshape Permute Reshape Permute Reshape Permute "
            + "Multiply Permute MatMul Softmax MatMul Permute Reshape Linear Add "
            + "LayerNormalization Linear Gelu Linear Add LayerNormalization Select Linear",
            string.Join(' ', graph.Nodes.Select(n => n.Operator)));
        Assert.Equal("vit.embeddings.patch_embeddings.projection.weight", graph.Nodes[0].Inputs[1]!.Name);
        Assert.Equal([new GraphLength(2, graph.Input, 0), new GraphLength(1), new GraphLength(8)], graph.Nodes[3].Lengths("shape"));
    }

    [Fact]
    public void The_size_of_the_pictures_stays_free_where_the_network_allows_it()
    {
        using var network = Network("""{"model_type":"vit","hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,"intermediate_size":16,"image_size":32,"patch_size":8}""");
        network.InterpolatesPositions = true;
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);

        var graph = DynamicGraph.Join(Record(network, zeros(2, 3, 40, 56)), Record(network, zeros(3, 3, 48, 72)));
        var pixels = randn([4, 3, 64, 24], generator: generator);
        var replayed = GraphReplay.Run(graph, network.State(), pixels);

        Assert.True((network.forward(pixels) - replayed).abs().max().item<float>() < Near);
    }

    [Fact]
    public void A_tensor_that_no_recorded_operation_made_is_refused_with_the_layer_before_it()
    {
        using var network = Network("""{"model_type":"vit","hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,"intermediate_size":16,"image_size":16,"patch_size":8}""");
        using var scope = NewDisposeScope();
        ModuleTree.TensorLayers(network).Single(l => l.Name == "vit.encoder.layer.0.attention.output.dense").Layer.Adapter = new Stranger();

        var error = Assert.Throws<NotSupportedException>(() => Record(network, zeros(2, 3, 16, 16)));

        Assert.Equal(
            "Add takes a tensor [2, 5, 8] that no recorded operation made, after the layer of 'vit.encoder.layer.0.attention.output.dense.bias': networks are exported whose operations are all Vizsla's own (Models/Layers) or constants.",
            error.Message);
        Assert.Null(GraphRecorder.Current);
    }

    [Fact]
    public void An_adapter_changes_a_layer_by_its_name_and_is_recorded_with_it()
    {
        using var network = Network("""{"model_type":"resnet","depths":[1,1],"hidden_sizes":[8,16],"embedding_size":8,"layer_type":"basic"}""");
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        network.eval();
        var pixels = ones(2, 3, 32, 32);
        var before = network.forward(pixels);
        foreach (var (_, layer) in ModuleTree.TensorLayers(network).Where(l => l.Name is "classifier.1" or "resnet.embedder.embedder.convolution"))
        {
            layer.Adapter = new Doubled();
        }

        var after = network.forward(pixels);
        using (network.FoldForPrediction())
        {
            Assert.True(network.forward(pixels).allclose(after, rtol: 1e-4, atol: 1e-5));
        }

        var graph = Recorded(network, pixels);

        Assert.False(before.allclose(after));
        Assert.Equal(2, graph.Nodes.Count(n => n.Operator == GraphOperator.Multiply));
        Assert.True(GraphReplay.Run(graph, network.State(), pixels).allclose(after, rtol: 1e-4, atol: 1e-5));
    }

    private static NetworkGraph Recorded(ClassificationNetwork network, Tensor pixels)
    {
        var fewer = pixels.narrow(0, 0, pixels.shape[0] - 1).contiguous();
        return DynamicGraph.Join(Record(network, pixels), Record(network, fewer));
    }

    private static NetworkGraph Record(ClassificationNetwork network, Tensor pixels)
    {
        network.eval();
        return GraphRecorder.Record(network.State(), network.forward, pixels);
    }

    private static ClassificationNetwork Network(string json)
    {
        var network = Architectures.Build(new ModelConfiguration((JsonObject)JsonNode.Parse(json)!));
        manual_seed(1);
        network.Initialize();
        return network;
    }

    private sealed class Stranger : ILayerAdapter
    {
        public Tensor Apply(TensorLayer layer, Tensor input)
        {
            using var own = layer.Compute(input);
            return own.neg();
        }
    }

    private sealed class Doubled : ILayerAdapter
    {
        public Tensor Apply(TensorLayer layer, Tensor input)
        {
            using var own = layer.Compute(input);
            return own.Times(2);
        }
    }
}
