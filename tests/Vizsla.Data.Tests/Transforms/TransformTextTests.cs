using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using CsCheck;
using Vizsla.Transforms;

namespace Vizsla.Tests.Transforms;

/// <summary>What holds for every transform with any parameters: its JSON gives it back, and its texts tell it from every other.</summary>
public sealed class TransformTextTests
{
    private const int Samples = 150;
    private const double Reach = 300;

    public static TheoryData<string> Names() => [.. TransformList.All.Select(info => info.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Comes_back_from_its_JSON_and_is_told_apart_by_its_texts(string name)
    {
        var info = TransformList.Find(name)!;
        var valid = 0;

        Gen.Select(Parameters(info), Parameters(info)).Sample(
            (first, second) =>
            {
                if (TryCreate(info, first) is not { } one)
                {
                    return;
                }

                valid++;
                Assert.Equal(one, TryCreate(info, first));
                AssertComesBack(one);
                if (TryCreate(info, second) is not { } other)
                {
                    return;
                }

                var equal = one.Equals(other);
                Assert.Equal(equal, one.ToString() == other.ToString());
                Assert.Equal(equal, Pipeline.ToPython(one) == Pipeline.ToPython(other));
                Assert.Equal(equal, Json(one) == Json(other));
            },
            iter: Samples, threads: 1);

        Assert.True(valid > 0, $"no valid {name} among {Samples} pairs");
    }

    private static void AssertComesBack(Transform transform)
    {
        var read = TransformList.Find(TransformType.NameOf(transform.GetType()))!.Create((JsonObject)JsonNode.Parse(Json(transform))!);

        Assert.Equal(transform, read);
        Assert.Equal(transform.GetHashCode(), read.GetHashCode());
        Assert.Equal(transform.ToString(), read.ToString());
        Assert.Equal(Pipeline.ToPython(transform), Pipeline.ToPython(read));
        if (transform is ImageTransform)
        {
            var pipeline = new Compose(transform);
            Assert.Equal(pipeline, Pipeline.FromJson(Pipeline.ToJson(pipeline).ToJsonString()));
        }
    }

    private static string Json(Transform transform) => PipelineWriter.ToJson(transform).ToJsonString();

    // Parameters that contradict each other make no transform; those are other tests' business.
    private static Transform? TryCreate(TransformInfo info, string parameters)
    {
        try
        {
            var transform = info.Create((JsonObject)JsonNode.Parse(parameters)!);
            return transform.FindProblems().Count == 0 ? transform : null;
        }
        catch (TransformException)
        {
            return null;
        }
    }

    // An object with each parameter or without it.
    private static Gen<string> Parameters(TransformInfo info) => info.Parameters
        .Aggregate(Gen.Const(ImmutableList<string>.Empty), (list, parameter) => Gen.Select(list, Gen.Bool, Value(parameter), (entries, given, value) =>
            given || parameter.IsRequired ? entries.Add($"\"{parameter.Name}\": {value}") : entries))
        .Select(entries => $"{{{string.Join(", ", entries)}}}");

    private static Gen<string> Value(TransformParameter parameter)
    {
        var (low, high) = (Math.Max(parameter.Minimum, -Reach), Math.Min(parameter.Maximum, Reach));
        var whole = Gen.Int[(int)Math.Ceiling(low), (int)high].Select(number => number.ToString(CultureInfo.InvariantCulture));
        var exact = Gen.Double[low, high].Select(number => number.ToString("R", CultureInfo.InvariantCulture));
        var small = Gen.Double[Math.Max(low, 0), Math.Max(Math.Min(high, 0.5), low)].Select(number => number.ToString("R", CultureInfo.InvariantCulture));
        var number = Gen.OneOf(whole, exact, small);
        var value = parameter.Kind switch
        {
            ParameterKind.Flag => Among("true", "false"),
            ParameterKind.WholeNumber => whole,
            ParameterKind.Number => number,
            ParameterKind.NumberOrPair => Gen.OneOf(number, Sorted(number)),
            ParameterKind.Pair => Sorted(number),
            ParameterKind.Numbers => List(number, 1, 4),
            ParameterKind.Choice => Among([.. parameter.Choices.Select(choice => $"\"{choice}\"")]),
            ParameterKind.Size => Gen.OneOf(whole, List(whole, 2, 2)),
            ParameterKind.Color => Gen.OneOf(whole, List(whole, 3, 3)),
            ParameterKind.Padding => Gen.OneOf(whole, List(whole, 2, 2), List(whole, 4, 4)),
            ParameterKind.EraseValue => Gen.OneOf(number, List(number, 3, 3), Gen.Const("\"random\"")),
            _ => List(Inner(parameter.Type.GetGenericArguments()[0]), 1, 3),
        };
        return parameter.IsNullable ? Gen.OneOf(value, Gen.Const("null")) : value;
    }

    private static Gen<string> Inner(Type item) => item == typeof(BatchTransform)
        ? Among("\"MixUp\"", """{"transform": "CutMix", "alpha": 0.3}""")
        : Among("\"RandomHorizontalFlip\"", """{"transform": "RandomRotation", "degrees": [-5.5, 10]}""", """{"transform": "RandomApply", "transforms": ["RandomInvert"], "p": 0.1}""");

    private static Gen<string> Among(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    private static Gen<string> List(Gen<string> item, int from, int to) => item.Array[from, to].Select(items => $"[{string.Join(", ", items)}]");

    private static Gen<string> Sorted(Gen<string> number) => number.Array[2, 2].Select(pair =>
        $"[{string.Join(", ", pair.OrderBy(text => double.Parse(text, CultureInfo.InvariantCulture)))}]");
}
