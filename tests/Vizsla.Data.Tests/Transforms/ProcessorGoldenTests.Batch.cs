using System.Text.Json;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;
using Vizsla.Transforms;

namespace Vizsla.Tests.Transforms;

public sealed partial class ProcessorGoldenTests
{
    private const int ClassCount = 3;

    // Each call of make/processors.py and what it means here.
    private static readonly Dictionary<string, Transform> BatchCalls = new()
    {
        ["MixUp(alpha=1.0,num_classes=3)"] = new MixUp(),
        ["MixUp(alpha=0.2,num_classes=3)"] = new MixUp(0.2),
        ["CutMix(alpha=1.0,num_classes=3)"] = new CutMix(ClassCount: ClassCount),
        ["RandomChoice([CutMix,MixUp])"] = new RandomBatchChoice([new CutMix(), new MixUp()]),
        ["RandomErasing(p=1)"] = new RandomErasing(1.0),
        ["RandomErasing(p=0.7,value=1,scale=(0.1,0.5))"] = new RandomErasing(0.7) { Value = 1.0, Scale = (0.1, 0.5) },
        ["RandomErasing(p=1,value=random)"] = new RandomErasing(1.0) { Value = EraseValue.Random },
    };

    public static TheoryData<string> BatchNames()
    {
        var path = Path.Combine(Golden.Root, "processors", "batch.json");
        return File.Exists(path) ? [.. Cases(path).Select(entry => entry.Call).Distinct()] : [""];
    }

    [Theory]
    [MemberData(nameof(BatchNames))]
    public void A_step_on_floats_makes_the_recorded_values(string call)
    {
        var cases = Cases(Golden.Require("processors", "batch.json")).Where(entry => entry.Call == call);
        var recorded = new RecordedTensors(Golden.Require("processors", "batch.safetensors"));
        Assert.True(BatchCalls.TryGetValue(call, out var transform), $"No step is known by the name '{call}'.");
        var shape = recorded.Shape("images");

        foreach (var (_, seed) in cases)
        {
            var pixels = recorded.Floats("images");
            var rng = new Rng(seed);
            if (transform is BatchTransform batch)
            {
                var targets = SoftTargets.FromLabels(recorded.Integers("labels"), ClassCount);
                batch.Apply(pixels, (shape[1], shape[2], shape[3]), targets, rng);
                AssertNear(recorded.Floats($"{call}.{seed}.labels"), targets.Values, $"labels, seed {seed}");
            }
            else
            {
                using var first = ImageTensor.Over(shape[1], shape[2], shape[3], pixels, 0);
                ((TensorTransform)transform).Apply(first, rng);
                pixels = first.Values.ToArray();
            }

            AssertNear(recorded.Floats($"{call}.{seed}.images"), pixels, $"images, seed {seed}");
        }
    }

    private static IEnumerable<(string Call, ulong Seed)> Cases(string path)
    {
        using var recording = JsonDocument.Parse(File.ReadAllBytes(path));
        return [.. recording.RootElement.GetProperty("cases").EnumerateArray()
            .Select(entry => (entry.GetProperty("call").GetString()!, entry.GetProperty("seed").GetUInt64()))];
    }

    private static void AssertNear(float[] expected, ReadOnlySpan<float> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(expected[i] - actual[i]) <= Tolerance, $"{what}, value {i}: {actual[i]}, recorded {expected[i]}");
        }
    }
}
