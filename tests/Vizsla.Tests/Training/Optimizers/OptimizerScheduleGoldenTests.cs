using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TorchSharp;
using TorchSharp.Modules;
using Vizsla.Native;
using Vizsla.Primitives;
using Vizsla.Testing;
using Vizsla.Training.Arguments;
using Vizsla.Training.Optimizers;
using static TorchSharp.torch;

namespace Vizsla.Tests.Training.Optimizers;

// The file lies in schedules/, and is found by the filter of that folder.
[Trait("Category", "Golden")]
public sealed partial class OptimizerScheduleGoldenTests
{
    // float32 after a few steps; torch against itself differs by as much between its fused and its plain kernels.
    private const double Tolerance = 1e-6;

    [Fact]
    public void Every_recorded_optimizer_moves_a_tensor_as_recorded()
    {
        var recording = (JsonObject)PythonJson.Parse(File.ReadAllText(Golden.Require("schedules", "optimizers.json")))!;
        foreach (var (name, steps) in recording["cases"]!.AsObject())
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator(ulong.Parse(GradientSeed().Match(steps!["gradient"]!.GetValue<string>()).Value, CultureInfo.InvariantCulture));
            var parameter = new Parameter(randn(3, 4, generator: generator), true);
            AssertClose($"{name}, start", steps["start"]!.AsArray(), parameter);
            var arguments = Arguments(name) with { LearningRate = recording["learning_rate"]!.GetValue<double>() };
            var decay = arguments.Optim is OptimizerName.AdamwTorch or OptimizerName.AdamwTorchFused ? 0.1 : 0;
            using var optimizer = OptimizerTable.Create(arguments, [new([new("w", parameter)], arguments.LearningRate, decay)]);

            foreach (var (expected, step) in steps["steps"]!.AsArray().Select((e, i) => (e!.AsArray(), i)))
            {
                parameter.grad = randn(3, 4, generator: generator).Plus(parameter.detach());
                optimizer.Step();
                AssertClose($"{name}, step {step}", expected, parameter);
            }
        }
    }

    // "sgd(momentum=0.9,nesterov)"; the recording calls torch's AdamW "adamw".
    private static TrainingArguments Arguments(string name)
    {
        var parts = CaseName().Match(name);
        var optimizer = parts.Groups["name"].Value is "adamw" ? "adamw_torch" : parts.Groups["name"].Value;
        var options = parts.Groups["options"].Value.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(o => o.Contains('=', StringComparison.Ordinal) ? o : o + "=true");
        return new() { Optim = (OptimizerName)SnakeCase.Values(typeof(OptimizerName))[optimizer], OptimArgs = string.Join(',', options) };
    }

    private static void AssertClose(string what, JsonArray expected, Tensor actual)
    {
        foreach (var (e, a) in expected.Select(v => v!.GetValue<double>()).Zip(actual.data<float>()))
        {
            Assert.True(Math.Abs(e - a) <= Tolerance, $"{what}: {a}, expected {e}");
        }
    }

    [GeneratedRegex(@"^(?<name>\w+)(\((?<options>.*)\))?$")]
    private static partial Regex CaseName();

    [GeneratedRegex(@"(?<=seed )\d+")]
    private static partial Regex GradientSeed();
}
