using TorchSharp;
using Vizsla.Distributed;
using Vizsla.Models;
using Vizsla.Models.Layers;
using Vizsla.Models.Weights;
using Vizsla.Testing;
using Vizsla.Tests.Models;
using Vizsla.Training.Data;
using Vizsla.Training.Optimizers;
using static TorchSharp.torch;

namespace Vizsla.Tests.Distributed;

/// <summary>Gradients that leave while the backward pass goes on are those of the end.</summary>
public sealed class GradientExchangeTests
{
    // A tensor that several layers read has its gradients added up in another order.
    private const double Near = 2e-6;
    private const double Floor = 1e-9;

    // Of the smallest networks, most of whose numbers may be in the first layer.
    private const double LeastShare = 0.3;

    public static TheoryData<string> Checkpoints() => VitGoldenTests.Checkpoints();

    public static TheoryData<string, int> Networks => new()
    {
        { """{"model_type":"vit","image_size":32,"patch_size":8,"hidden_size":32,"num_hidden_layers":3,"num_attention_heads":2,"intermediate_size":64}""", 32 },
        { """{"architecture":"resnet18"}""", 34 },
        { """{"architecture":"tf_efficientnet_lite0"}""", 35 },
        { """{"architecture":"densenet121"}""", 64 },
        { """{"architecture":"mixer_s16_224"}""", 224 },
    };

    [Theory]
    [MemberData(nameof(Checkpoints))]
    [Trait("Category", "Golden")]
    public void Every_family_has_the_gradients_of_one_process(string checkpoint)
    {
        var folder = VitGoldenTests.Folder(checkpoint);
        using var scope = NewDisposeScope();
        using var classifier = ImageClassifier.FromPretrained(folder);
        using var numbers = SafetensorsFile.Open(Path.Combine(folder, "numbers.safetensors"));
        VitGoldenTests.Arrange(classifier.Network, folder);

        AssertSame(checkpoint, classifier.Network, numbers.Read("pixel_values"));
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void A_network_has_the_gradients_of_one_process(string json, int side)
    {
        manual_seed(3);
        using var network = Architectures.Build(ModelConfiguration.Parse(json));
        network.Initialize();
        using var scope = NewDisposeScope();

        AssertSame(json, network, randn(2, 3, side, side));
    }

    [Fact]
    public void A_gradient_that_comes_after_its_bucket_is_added_to_it()
    {
        using var network = new LateNetwork();
        using var scope = NewDisposeScope();

        AssertSame("late", network, randn(2, 3, 4, 4));
    }

    private static void AssertSame(string name, ClassificationNetwork network, Tensor pixels)
    {
        network.eval();
        var arguments = new TrainingArguments();
        using var optimizer = OptimizerTable.Create(arguments, ParameterGroups.Create(network, arguments, network.named_parameters().Select(p => p.name).ToHashSet()));
        var expected = Gradients(network, pixels);
        optimizer.ZeroGradients();
        using var exchange = new GradientExchange(ProcessGroup.Solo, optimizer, network, smallestBucket: 1);
        var early = new List<double>();

        // The first shows the order, the second may find some that come late.
        for (var step = 0; step < 3; step++)
        {
            var before = exchange.Bytes;
            exchange.BeginStep();
            var loss = network.forward(pixels).square().sum();
            exchange.BeginLastBackward();
            loss.backward();
            var inPass = exchange.Bytes - before;
            exchange.Sum(0, isStopAsked: false);
            early.Add((double)inPass / (exchange.Bytes - before));
            Assert.All(expected, e => AssertNear(name, e.Gradient, network.get_parameter(e.Name)!.grad));
            optimizer.ZeroGradients();
        }

        Assert.Equal(0, early[0]);
        Assert.True(early[2] > LeastShare, $"{name}: {early[2]:P0}");
    }

    private static void AssertNear(string name, Tensor? expected, Tensor? actual)
    {
        Assert.Equal(expected is null, actual is null);
        if (expected is not null)
        {
            var (difference, norm) = ((actual! - expected).norm().item<float>(), expected.norm().item<float>());
            Assert.True(difference <= (Near * norm) + Floor, $"{name}: differs by {difference}, of {norm}");
        }
    }

    private static List<(string Name, Tensor? Gradient)> Gradients(ClassificationNetwork network, Tensor pixels)
    {
        network.forward(pixels).square().sum().backward();
        return [.. network.named_parameters().Select(p => (p.name, p.parameter.grad?.clone()))];
    }

    /// <summary>Its factor stands behind the layers in the file, but comes before them in the forward pass.</summary>
    private sealed class LateNetwork : ClassificationNetwork
    {
        private readonly Dense[] _layers;
        private readonly ParameterSlot _factor;

        public LateNetwork()
            : base(ModelConfiguration.Parse("{}"), nameof(LateNetwork), "")
        {
            manual_seed(3);
            _layers = [.. Enumerable.Range(0, 4).Select(i => Add($"layer{i}", new Dense(48, 48)))];
            _factor = AddParameter("factor", 48);
            foreach (var parameter in parameters())
            {
                nn.init.normal_(parameter);
            }
        }

        public override IReadOnlyList<string> HeadParameterNames => [];

        public override Tensor forward(Tensor pixels) => Head(Features(pixels));

        public override Tensor Features(Tensor pixels, NetworkTrace? trace = null) => (pixels.flatten(1) * _factor.Value).DetachFromDisposeScope();

        public override Tensor Head(Tensor features) => _layers.Aggregate(features, (x, layer) => layer.Forward(x).relu());

        public override void Initialize()
        {
        }

        public override void InitializeHead()
        {
        }
    }
}
