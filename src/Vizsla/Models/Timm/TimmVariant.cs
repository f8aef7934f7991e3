using System.Text.Json.Nodes;

namespace Vizsla.Models.Timm;

/// <summary>One line of the table of timm's names: how its network is built, and what its default weights were trained with.</summary>
/// <param name="Name">timm's name, such as <c>resnet50</c>.</param>
/// <param name="Make">Builds the network.</param>
/// <param name="Tag">Tag of the default weights on the Hub.</param>
/// <param name="ImageSize">Side of the pictures in pixels.</param>
/// <param name="CropShare">Share of the picture's shorter side that evaluation looks at.</param>
/// <param name="Interpolation">How pictures are resized.</param>
/// <param name="UsesInceptionMean">Whether pixels are normalized by 0.5 and 0.5 instead of ImageNet's mean and deviation.</param>
/// <param name="FirstLayer">Name of the first convolution.</param>
/// <param name="Classifier">Name of the head.</param>
/// <param name="License">Licence of the default weights.</param>
internal sealed record TimmVariant(
    string Name,
    Func<ModelConfiguration, TimmNetwork> Make,
    string Tag,
    int ImageSize,
    double CropShare,
    string Interpolation,
    bool UsesInceptionMean,
    string FirstLayer,
    string Classifier,
    string License = "apache-2.0")
{
    /// <summary>The repository of the default weights.</summary>
    public string HubName => $"timm/{Name}.{Tag}";

    /// <summary>The <c>config.json</c> that timm writes for it.</summary>
    /// <param name="classCount">Number of classes; 1000 by default.</param>
    public ModelConfiguration Configuration(int classCount = 1000) => new(new JsonObject
    {
        ["architecture"] = Name,
        ["num_classes"] = classCount,
        ["pretrained_cfg"] = new JsonObject
        {
            ["tag"] = Tag,
            ["custom_load"] = false,
            ["input_size"] = new JsonArray(3, ImageSize, ImageSize),
            ["fixed_input_size"] = Classifier == "head",
            ["interpolation"] = Interpolation,
            ["crop_pct"] = CropShare,
            ["crop_mode"] = "center",
            ["mean"] = UsesInceptionMean ? new JsonArray(0.5, 0.5, 0.5) : new JsonArray(0.485, 0.456, 0.406),
            ["std"] = UsesInceptionMean ? new JsonArray(0.5, 0.5, 0.5) : new JsonArray(0.229, 0.224, 0.225),
            ["num_classes"] = classCount,
            ["first_conv"] = FirstLayer,
            ["classifier"] = Classifier,
            ["license"] = License,
        },
    });
}
