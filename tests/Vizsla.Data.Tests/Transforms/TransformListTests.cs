using System.Text.Json.Nodes;
using Vizsla.Transforms;

namespace Vizsla.Tests.Transforms;

public sealed class TransformListTests
{
    // Names of torchvision.transforms.v2 that a picture classifier has a use for.
    private static readonly string[] TorchvisionNames =
    [
        "AugMix", "AutoAugment", "CenterCrop", "ColorJitter", "Compose", "CutMix", "ElasticTransform", "FiveCrop", "GaussianBlur", "GaussianNoise",
        "Grayscale", "JPEG", "MixUp", "Normalize", "Pad", "RandAugment", "RandomAdjustSharpness", "RandomAffine", "RandomApply", "RandomAutocontrast",
        "RandomChannelPermutation", "RandomChoice", "RandomCrop", "RandomEqualize", "RandomErasing", "RandomGrayscale", "RandomHorizontalFlip",
        "RandomInvert", "RandomOrder", "RandomPerspective", "RandomPhotometricDistort", "RandomPosterize", "RandomResize", "RandomResizedCrop",
        "RandomRotation", "RandomShortestSize", "RandomSolarize", "RandomVerticalFlip", "RandomZoomOut", "Resize", "ScaleJitter", "TenCrop",
        "ToDtype", "ToTensor", "TrivialAugmentWide",
    ];

    public static TheoryData<string> Names() => [.. TransformList.All.Select(info => info.Name)];

    [Fact]
    public void The_list_holds_every_public_transform_and_every_name_of_torchvision()
    {
        var records = typeof(Transform).Assembly.GetExportedTypes().Where(type => type.IsSubclassOf(typeof(Transform)) && !type.IsAbstract).Select(TransformType.NameOf);

        Assert.Equal(records.Order(StringComparer.Ordinal), TransformList.All.Select(info => info.Name).Order(StringComparer.Ordinal));
        Assert.Empty(TorchvisionNames.Except(TransformList.All.Select(info => info.Name)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_transform_comes_back_from_its_JSON(string name)
    {
        var transform = TransformList.Find(name)!.CreateExample();

        var json = new JsonArray(Parameters(transform).DeepClone());
        var read = TransformList.Find(name)!.Create(Parameters(transform));

        Assert.Equal(transform, read);
        Assert.Equal(transform.GetHashCode(), read.GetHashCode());
        Assert.Equal(name, json[0]!["transform"]!.GetValue<string>());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_example_has_no_problems_and_writes_C_sharp_and_Python(string name)
    {
        var transform = TransformList.Find(name)!.CreateExample();

        Assert.Empty(transform.FindProblems());
        Assert.StartsWith($"new {transform.GetType().Name}", transform.ToString(), StringComparison.Ordinal);
        Assert.StartsWith("v2.", Pipeline.ToPython(transform), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_transform_and_each_of_its_parameters_are_documented(string name)
    {
        var info = TransformList.Find(name)!;

        Assert.EndsWith(".", info.Documentation, StringComparison.Ordinal);
        foreach (var parameter in info.Parameters)
        {
            Assert.True(parameter.Documentation.Length > 0, $"{name}.{parameter.PropertyName} has no documentation.");
            Assert.Matches("^[a-z_]+$", parameter.Name);
            Assert.True(!parameter.IsRequired || parameter.Kind == ParameterKind.Transforms || parameter.Example is not null, $"{name}.{parameter.Name} has no example.");
        }
    }

    [Fact]
    public void A_form_learns_what_it_needs_about_a_parameter()
    {
        var rotation = TransformList.Find("RandomRotation")!;

        Assert.Equal(TransformGroup.Geometric, rotation.Group);
        Assert.Equal(["degrees", "interpolation", "expand", "center", "fill"], rotation.Parameters.Select(parameter => parameter.Name));
        Assert.Equal(
            [ParameterKind.NumberOrPair, ParameterKind.Choice, ParameterKind.Flag, ParameterKind.Pair, ParameterKind.Color],
            rotation.Parameters.Select(parameter => parameter.Kind));
        Assert.Equal(["30", "\"nearest\"", "false", null, "0"], rotation.Parameters.Select(parameter => parameter.Default?.ToJsonString()));
        Assert.Contains("bicubic", rotation.Parameters[1].Choices);
        Assert.True(rotation.Parameters[3].IsNullable);
        Assert.Equal((0, 255), (rotation.Parameters[4].Minimum, rotation.Parameters[4].Maximum));
        Assert.Equal("Range of the angle in degrees; a single number x is -x to x.", rotation.Parameters[0].Documentation);
    }

    // Every parameter, also those at their default.
    private static JsonObject Parameters(Transform transform)
    {
        var json = new JsonObject { ["transform"] = TransformType.NameOf(transform.GetType()) };
        foreach (var parameter in TransformList.Find(TransformType.NameOf(transform.GetType()))!.Parameters)
        {
            json[parameter.Name] = ParameterJson.Write(transform.GetType().GetProperty(parameter.PropertyName)!.GetValue(transform));
        }

        return json;
    }
}
