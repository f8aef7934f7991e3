using System.Text.Json.Nodes;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Models;
using Vizsla.Models.Weights;
using Vizsla.Transforms;
using static TorchSharp.torch;

namespace Vizsla;

/// <summary>A model with its configuration and labels: loaded, trained, saved and asked as one thing.</summary>
/// <remarks>Source: transformers <c>AutoModelForImageClassification</c>. Not safe for several threads.</remarks>
public sealed class ImageClassifier : IDisposable
{
    private ImageClassifier(ClassificationNetwork network, ImageProcessor processor, LoadReport? report)
    {
        Network = network;
        Processor = processor;
        LoadReport = report;
    }

    /// <summary>The network; this object owns it.</summary>
    public ClassificationNetwork Network { get; }

    /// <summary>The model's <c>config.json</c>.</summary>
    public ModelConfiguration Configuration => Network.Configuration;

    /// <summary>From a picture to what the network takes: <c>preprocessor_config.json</c>, or the architecture's own where the folder has none.</summary>
    public ImageProcessor Processor { get; set; }

    /// <summary>Class names in order of their index.</summary>
    public IReadOnlyList<string> Labels => Configuration.Id2Label;

    /// <summary>How the weights of the file fitted; null for a model that was drawn anew.</summary>
    public LoadReport? LoadReport { get; }

    /// <summary>Loads a model from a folder, or by its Hub name from this machine's cache.</summary>
    /// <param name="nameOrFolder">A folder with <c>config.json</c> and weights, or a name such as <c>google/vit-base-patch16-224</c>.</param>
    /// <param name="labels">Class names in order of their index; null keeps the model's.</param>
    /// <param name="ignoreMismatchedSizes">Whether a head for another number of classes is replaced by a new one; HF: <c>ignore_mismatched_sizes</c>.</param>
    /// <param name="seed">Seeds torch's generator before new weights are drawn; null draws from it as it stands.</param>
    /// <returns>The model in evaluation mode; the caller owns it.</returns>
    /// <exception cref="ModelLoadException">It is not found, not known, or its weights do not fit; the exception carries the report.</exception>
    public static ImageClassifier FromPretrained(
        string nameOrFolder, IReadOnlyList<string>? labels = null, bool ignoreMismatchedSizes = false, long? seed = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrFolder);
        var folder = ModelFolder.Locate(nameOrFolder);
        var configuration = ModelConfiguration.Load(folder);
        if (labels is not null)
        {
            configuration.SetLabels(labels);
        }

        var network = Architectures.Build(configuration);
        try
        {
            if (seed is { } value)
            {
                _ = manual_seed(value);
            }

            var report = ModelFolder.LoadWeights(network, folder, nameOrFolder, ignoreMismatchedSizes);
            network.eval();
            return new ImageClassifier(network, ImageProcessor.FromPretrained(folder), report);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Makes a model of a configuration with drawn weights.</summary>
    /// <param name="configuration">The configuration; its labels give the width of the head.</param>
    /// <param name="seed">Seeds torch's generator before weights are drawn; null draws from it as it stands.</param>
    /// <returns>The model in evaluation mode; the caller owns it.</returns>
    /// <exception cref="ModelLoadException">The architecture is not known, or its numbers do not fit together.</exception>
    public static ImageClassifier FromConfig(ModelConfiguration configuration, long? seed = null)
    {
        var network = Architectures.Build(configuration);
        if (seed is { } value)
        {
            _ = manual_seed(value);
        }

        network.Initialize();
        network.eval();
        return new ImageClassifier(network, ProcessorOf(configuration), report: null);
    }

    /// <summary>Makes a model of a named size with drawn weights.</summary>
    /// <param name="variant">One of <see cref="Architectures.Variants"/>, such as <c>vit-tiny</c>.</param>
    /// <param name="labels">Class names in order of their index.</param>
    /// <param name="imageSize">Side of the pictures in pixels; null takes the size's own.</param>
    /// <param name="seed">Seeds torch's generator before weights are drawn; null draws from it as it stands.</param>
    /// <returns>The model in evaluation mode; the caller owns it.</returns>
    /// <exception cref="ModelLoadException">The name is not known, or the size does not fit.</exception>
    public static ImageClassifier Create(string variant, IReadOnlyList<string> labels, int? imageSize = null, long? seed = null)
    {
        var configuration = Architectures.Variant(variant, imageSize);
        configuration.SetLabels(labels);
        return FromConfig(configuration, seed);
    }

    /// <summary>Writes <c>config.json</c>, <c>model.safetensors</c> and <c>preprocessor_config.json</c>; each is written aside and renamed.</summary>
    /// <param name="folder">The folder; made when it does not exist.</param>
    public void Save(string folder)
    {
        ModelFolder.Save(Network, folder);
        Processor.Save(folder);
    }

    /// <summary>Names what one photo shows.</summary>
    /// <param name="file">Path of the photo.</param>
    /// <param name="topK">Classes to name, at least 1.</param>
    /// <returns>The likeliest classes, best first.</returns>
    /// <exception cref="ImageFormatException">The photo cannot be read; the message says why.</exception>
    public IReadOnlyList<Prediction> Predict(string file, int topK = 5)
    {
        using var image = ImageCodec.Load(file);
        return Predict(image, topK);
    }

    /// <summary>Names what one picture shows.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <param name="topK">Classes to name, at least 1.</param>
    /// <returns>The likeliest classes, best first.</returns>
    public IReadOnlyList<Prediction> Predict(Image image, int topK = 5) =>
        new PicturePredictor(Network, Processor.ToPipeline(), options: new PicturePredictorOptions { TopK = topK }).Predict(image);

    /// <summary>Disposes the network.</summary>
    public void Dispose() => Network.Dispose();

    private static ImageProcessor ProcessorOf(ModelConfiguration configuration) =>
        configuration.Json["pretrained_cfg"] is JsonObject pretrained
            ? ImageProcessor.FromTimm(pretrained)
            : new ImageProcessor { Size = configuration.Size("image_size", 224) };
}
