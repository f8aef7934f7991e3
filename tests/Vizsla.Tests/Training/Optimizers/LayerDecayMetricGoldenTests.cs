using System.Text.Json.Nodes;
using Vizsla.Models;
using Vizsla.Primitives;
using Vizsla.Testing;
using Vizsla.Training.Optimizers;

namespace Vizsla.Tests.Training.Optimizers;

[Trait("Category", "Golden")]
public sealed class LayerDecayMetricGoldenTests
{
    private const double ScaleTolerance = 1e-12;

    [Fact]
    public void The_groups_are_those_of_timm()
    {
        var recording = (JsonObject)PythonJson.Parse(File.ReadAllText(Golden.Require("metrics", "layer-decay.json")))!;
        var arguments = new TrainingArguments
        {
            LearningRate = 1,
            WeightDecay = recording["weight_decay"]!.GetValue<double>(),
            LayerDecay = recording["layer_decay"]!.GetValue<double>(),
        };
        foreach (var (name, groups) in recording["groups"]!.AsObject())
        {
            var configuration = Architectures.Variant(name);
            configuration.SetLabels(["a", "b", "c", "d", "e"]);
            using var network = Architectures.Build(configuration);

            var actual = ParameterGroups.Create(network, arguments);

            Assert.Equal(groups!.AsArray().Count, actual.Count);
            foreach (var (expected, group) in groups.AsArray().Zip(actual))
            {
                Assert.Equal(expected!["parameters"]!.AsArray().Select(p => p!.GetValue<string>()), group.Parameters.Select(p => p.Name));
                Assert.Equal(expected["lr_scale"]!.GetValue<double>(), group.LearningRate, ScaleTolerance);
                Assert.Equal(expected["weight_decay"]!.GetValue<double>(), group.WeightDecay);
            }
        }
    }
}
