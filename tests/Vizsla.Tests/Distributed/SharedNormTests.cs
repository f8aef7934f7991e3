using System.Text.Json.Nodes;
using Vizsla.Distributed;
using Vizsla.Models;
using Vizsla.Models.Layers;
using Vizsla.Tests.Training;
using Vizsla.Training.Arguments;
using static TorchSharp.torch;

namespace Vizsla.Tests.Distributed;

/// <summary>Batch norms of several processes that normalize as one.</summary>
[Collection(TrainsAlone.Name)]
public sealed class SharedNormTests : IDisposable
{
    // float32 sums in another order.
    private const double Near = 1e-5;
    private static readonly Lock s_drawing = new();

    private readonly TinyRun _run = new();

    public void Dispose() => _run.Dispose();

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void A_batch_in_parts_has_the_values_statistics_and_gradients_of_the_whole(int ranks)
    {
        using var scope = NewDisposeScope();
        var (pixels, weights) = (randn(7, 5, 4, 3).Plus(2.0), randn(7, 5, 4, 3));
        var whole = Pass(pixels, weights, null);

        var parts = ThreadGroup.Run(ranks, group =>
        {
            var (start, end) = group.Share(7, group.Rank);
            using var inner = NewDisposeScope();
            return Pass(pixels.narrow(0, start, end - start), weights.narrow(0, start, end - start), values => group.AllReduce(values));
        });

        AssertNear(whole.Output, parts.SelectMany(p => p.Output));
        AssertNear(whole.OfInput, parts.SelectMany(p => p.OfInput));
        AssertNear(whole.OfWeights, parts.Select(p => p.OfWeights).Aggregate((a, b) => [.. a.Zip(b, (x, y) => x + y)]));
        Assert.All(parts, p => AssertNear(whole.Statistics, p.Statistics));
    }

    [Fact]
    public void A_run_has_the_losses_of_one_process()
    {
        var one = Train("one", ProcessGroup.Solo, 12);

        var several = ThreadGroup.Run(2, group => Train("several", group, 6));

        Assert.All(several, rank => AssertNear(one, rank));
    }

    [Fact]
    public void A_network_without_batch_norms_is_refused()
    {
        var refusal = Assert.Throws<ArgumentsException>(() => _run.Train(_run.Arguments() with { SyncBatchNorm = true }));

        Assert.Equal("sync_batch_norm has no effect on ViTForImageClassification, which has no batch norms: leave it out.", refusal.Message);
    }

    /// <summary>A small network of convolutions and batch norms.</summary>
    internal static ImageClassifier OpenModel()
    {
        var configuration = ModelConfiguration.Parse("""{"model_type": "resnet", "embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic", "hidden_act": "silu"}""");
        configuration.SetLabels(TinyRun.Train().ClassNames);

        // New weights are drawn from libtorch's one generator.
        lock (s_drawing)
        {
            return ImageClassifier.FromConfig(configuration, seed: 2);
        }
    }

    private List<float> Train(string name, ProcessGroup group, int batchSize)
    {
        var arguments = _run.Arguments(name) with
        {
            PerDeviceTrainBatchSize = batchSize, DataloaderNumWorkers = 0, LoggingSteps = 1, SyncBatchNorm = true, LearningRate = 1e-3, EvalStrategy = IntervalStrategy.Epoch, SaveStrategy = SaveStrategy.Epoch,
        };
        using var model = OpenModel();
        using var trainer = new Trainer(model, arguments, TinyRun.Train(), TinyRun.Eval(), new TrainerOptions { Processes = group });
        trainer.Train();
        return [.. trainer.State.LogHistory.Select(row => row["loss"] ?? row["eval_loss"]).OfType<JsonNode>().Select(loss => loss.GetValue<double>()).Select(loss => (float)loss)];
    }

    private static (float[] Output, float[] OfInput, float[] OfWeights, float[] Statistics) Pass(Tensor pixels, Tensor weights, Action<float[]>? sum)
    {
        using var norm = new BatchNormalization(pixels.shape[1]) { SumOverProcesses = sum };
        norm.train();
        WeightInitialization.Fill(norm.Weight, 1.5);
        var input = pixels.clone().requires_grad_();
        var output = norm.Forward(input);
        output.mul(weights).sum().backward();
        return (Values(output), Values(input.grad!), [.. Values(norm.Weight.grad!), .. Values(norm.Bias.grad!)], [.. Values(norm.RunningMean), .. Values(norm.RunningVariance)]);
    }

    private static float[] Values(Tensor tensor) => tensor.detach().contiguous().data<float>().ToArray();

    private static void AssertNear(IEnumerable<float> expected, IEnumerable<float> actual)
    {
        var (left, right) = (expected.ToList(), actual.ToList());
        Assert.NotEmpty(left);
        Assert.Equal(left.Count, right.Count);
        Assert.All(left.Zip(right), v => Assert.True(Math.Abs(v.First - v.Second) <= Near * Math.Max(1, Math.Abs(v.First)), $"{v.Second}, expected {v.First}"));
    }
}
