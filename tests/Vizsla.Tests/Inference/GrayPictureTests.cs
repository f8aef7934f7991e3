using System.Text.Json.Nodes;
using Vizsla.Datasets;
using Vizsla.Imaging;
using Vizsla.Models;
using Vizsla.Testing;
using Vizsla.Tests.Training;
using Vizsla.Transforms;
using static TorchSharp.torch;

namespace Vizsla.Tests.Inference;

/// <summary>Checkpoints for gray pictures: one channel, with one mean and one standard deviation.</summary>
[Collection(TrainsAlone.Name)]
public sealed class GrayPictureTests : IDisposable
{
    private const int Side = 16;
    private const double Mean = 0.4;
    private const double Deviation = 0.3;
    private const string HasColors =
        "the model takes gray pictures (num_channels is 1 in its config.json), and this one has colors; convert it to gray first";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_gray_picture_is_named_by_its_one_channel()
    {
        using var model = Model();
        using var picture = Gradient();

        var named = model.Predict(picture, topK: 2).OrderBy(p => p.Index).Select(p => p.Score);

        using var scope = NewDisposeScope();
        var levels = tensor(Enumerable.Range(0, Side * Side).Select(i => ((float)(picture.Pixels[3 * i] / 255.0) - (float)Mean) / (float)Deviation).ToArray());
        using var mode = no_grad();
        var expected = model.Network.forward(levels.view(1, 1, Side, Side)).softmax(-1).data<float>().ToArray();
        Assert.All(expected.Zip(named), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Fact]
    public void A_picture_with_colors_is_refused_by_its_file_and_the_others_are_named()
    {
        using var model = Model();
        using (var gray = Gradient())
        {
            ImageCodec.SavePng(gray, _folder["gray.png"]);
            gray.Pixels[0] ^= 1;
            ImageCodec.SavePng(gray, _folder["colors.png"]);
        }

        var answers = model.Predict([_folder["colors.png"], _folder["gray.png"]]).ToList();

        Assert.Equal([HasColors, null], answers.Select(a => a.Error));
        Assert.Equal(2, answers[1].Predictions.Count);
        Assert.Equal(8, model.Embed(_folder["gray.png"]).Length);
    }

    [Fact]
    public void It_is_trained_and_evaluated_on_gray_pictures_and_refuses_others()
    {
        using var run = new TinyRun();
        using var model = Model("falling", "level", "rising");
        using var trainer = new Trainer(
            model, run.Arguments() with { MaxSteps = 2, NumTrainEpochs = 3, EvalSteps = 1 }, Gray(TinyRun.Train()), Gray(TinyRun.Eval()));

        var output = trainer.Train();

        Assert.Equal(2, output.GlobalStep);
        Assert.True(double.IsFinite(trainer.Evaluate()["eval_loss"]));
        var tinted = TinyRun.Eval().WithTransform(new Compose(new ToDtype(Scale: true), new Normalize([0.5, 0.5, 0.4], [0.5])));
        Assert.Equal(HasColors, Assert.Throws<ImageFormatException>(() => trainer.Evaluate(tinted)).Reason);
    }

    private static ImageDataset Gray(ImageDataset rows) => rows.WithTransform(new Compose(new ToDtype(Scale: true), new Normalize([0.5], [0.5])));

    private static ImageClassifier Model(params string[] labels)
    {
        var configuration = new ModelConfiguration((JsonObject)JsonNode.Parse(
            """{"model_type":"vit","architectures":["ViTForImageClassification"],"num_channels":1,"hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,"intermediate_size":16,"image_size":16,"patch_size":8}""")!);
        configuration.SetLabels(labels.Length > 0 ? labels : ["falling", "rising"]);
        var model = ImageClassifier.FromConfig(configuration, seed: 3);
        model.Processor = new ImageProcessor { Size = (Side, Side), ImageMean = [Mean], ImageStd = [Deviation] };
        return model;
    }

    private static Image Gradient()
    {
        var image = new Image(Side, Side);
        for (var i = 0; i < image.Pixels.Length; i++)
        {
            image.Pixels[i] = (byte)(i / 3);
        }

        return image;
    }
}
