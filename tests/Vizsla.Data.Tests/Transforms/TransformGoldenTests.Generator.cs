using System.Globalization;
using System.Text.Json;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Tests.Transforms;

public sealed partial class TransformGoldenTests
{
    // Each key of generator.json and what the C# generator does for it.
    private static readonly Dictionary<string, Func<Rng, double[]>> Draws = new()
    {
        ["rand"] = rng => Floats(5, rng.Fill),
        ["rand_1_each"] = rng => [.. Enumerable.Range(0, 5).Select(_ => (double)rng.NextSingle())],
        ["rand_double"] = rng => [.. Enumerable.Range(0, 3).Select(_ => rng.NextDouble())],
        ["randint_0_10"] = rng => [.. Enumerable.Range(0, 8).Select(_ => (double)rng.NextInt32(0, 10))],
        ["uniform_-3_7"] = rng => [.. Enumerable.Range(0, 4).Select(_ => (double)rng.Uniform(-3, 7))],
        ["randperm_4"] = rng => Order(4, rng),
        ["randperm_100"] = rng => Order(100, rng),
        ["normal_5"] = rng => Floats(5, values => rng.Normal(values)),
        ["normal_20"] = rng => Floats(20, values => rng.Normal(values)),
        ["exponential_3"] = rng => [.. Enumerable.Range(0, 3).Select(_ => (double)rng.NextExponential())],
        ["dirichlet_3"] = rng => Floats(3, values => rng.Dirichlet([1, 1, 1], values)),
        ["multinomial"] = rng =>
        {
            var choices = new int[5];
            rng.Choices([0.5f, 0.25f, 0.25f], choices);
            return [.. choices.Select(choice => (double)choice)];
        },
    };

    private delegate void Filler(Span<float> values);

    [Fact]
    public void The_generator_draws_as_torch_does_to_the_last_bit()
    {
        using var recording = JsonDocument.Parse(File.ReadAllBytes(Golden.Require("transforms", "generator.json")));
        var differences = new List<string>();
        foreach (var seed in recording.RootElement.GetProperty("seeds").EnumerateObject())
        {
            foreach (var draw in seed.Value.EnumerateObject())
            {
                var rng = new Rng(ulong.Parse(seed.Name, CultureInfo.InvariantCulture));
                if (draw.Name == "random_int64")
                {
                    var drawn = rng.NextInt64();
                    if (drawn != draw.Value.GetInt64())
                    {
                        differences.Add($"seed {seed.Name}, random_int64: {drawn}, torch {draw.Value.GetInt64()}");
                    }

                    continue;
                }

                var expected = draw.Value.EnumerateArray().Select(value => value.GetDouble()).ToArray();
                var actual = Draws.TryGetValue(draw.Name, out var call) ? call(rng) : [];
                if (!expected.SequenceEqual(actual))
                {
                    differences.Add($"seed {seed.Name}, {draw.Name}: [{string.Join(", ", actual)}], torch [{string.Join(", ", expected)}]");
                }
            }
        }

        Assert.Empty(differences);
    }

    private static double[] Floats(int count, Filler fill)
    {
        var values = new float[count];
        fill(values);
        return [.. values.Select(value => (double)value)];
    }

    private static double[] Order(int count, Rng rng)
    {
        var order = new int[count];
        rng.Permutation(order);
        return [.. order.Select(value => (double)value)];
    }
}
