using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Models;
using Vizsla.Onnx;
using Vizsla.Testing;
using Vizsla.Training.Callbacks;
using Vizsla.Tests.Training;

namespace Vizsla.Tests.Inference;

/// <summary>A model asked from several threads, in training mode, and in the middle of a training.</summary>
[Collection(nameof(RunAlone))]
public sealed class SharedModelTests
{
    private const int Side = 32;
    private const float Rounding = 1e-5f;
    private static readonly string[] s_labels = ["beagle", "boxer", "pug"];

    [Theory]
    [InlineData("resnet18")]
    [InlineData("tf_efficientnet_lite0")]
    [InlineData("vit-nano")]
    public void Any_number_of_threads_get_the_answers_that_one_gets(string name)
    {
        using var folder = new TemporaryFolder();
        using var model = ImageClassifier.Create(name, s_labels, Side, seed: 3);
        var images = Enumerable.Range(0, 6).Select(i => Picture(i)).ToList();
        var files = images.Select((image, i) => Save(folder, image, i)).ToList();
        var alone = images.ConvertAll(image => model.Predict(image, topK: 3));
        var together = model.Predict(files, topK: 3).Select(p => p.Predictions).ToList();

        // Half ask for one picture, half for a batch, whose batch norms are folded for as long as it runs.
        var answers = new IReadOnlyList<IReadOnlyList<Prediction>>[24];
        Parallel.For(0, answers.Length, new() { MaxDegreeOfParallelism = 8 }, i =>
            answers[i] = i % 2 == 0 ? images.ConvertAll(image => model.Predict(image, topK: 3)) : [.. model.Predict(files, topK: 3).Select(p => p.Predictions)]);

        for (var i = 0; i < answers.Length; i++)
        {
            AssertClose(i % 2 == 0 ? alone : together, answers[i]);
        }

        images.ForEach(image => image.Dispose());
    }

    [Theory]
    [InlineData("resnet18")]
    [InlineData("vit-nano")]
    public void A_network_in_training_mode_predicts_and_explains_as_in_evaluation_mode_and_stays_as_it_was(string name)
    {
        using var folder = new TemporaryFolder();
        using var model = ImageClassifier.Create(name, s_labels, Side, seed: 3);
        using var image = Picture(1);
        var file = Save(folder, image, 0);
        var (one, many, heat) = (model.Predict(image), model.Predict([file]).Single().Predictions, model.Explain(file).Heat);
        model.Network.train();
        var first = model.Network.children().First();
        first.eval();
        var (modes, state) = (Modes(model), State(model));

        AssertClose([one], [model.Predict(image)]);
        AssertClose([one], [model.Predict(image)]);
        AssertClose([many], [model.Predict([file]).Single().Predictions]);
        Assert.Equal(heat.Values.ToArray(), model.Explain(file).Heat.Values.ToArray());
        ModelSummary.Of(model.Network, Side, Side);
        using (var exported = OnnxClassifier.Load(model.ExportOnnx(folder.Path), new() { Processor = model.Processor }))
        {
            AssertClose([one], [exported.Predict(image)]);
        }

        Assert.Equal(modes, Modes(model));
        Assert.Equal(state, State(model));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_callback_that_predicts_and_explains_changes_nothing_of_the_training(bool bf16)
    {
        using var run = new TinyRun();
        var plain = Train(run, "plain", bf16, _ => { });
        var answers = new List<IReadOnlyList<Prediction>>();
        var asked = Train(run, "asked", bf16, model =>
        {
            using var picture = Picture(1, 16);
            answers.Add(model.Predict(picture));
            answers.Add(model.Predict(picture));
            using var pictures = Picture(2, 16);
            _ = model.Predict([picture, pictures]);
        });

        Assert.Equal(plain, asked);
        Assert.NotEmpty(answers);
        Assert.All(answers.Chunk(2), pair => Assert.Equal(pair[0], pair[1]));
    }

    [Fact]
    public void A_disposed_model_says_so()
    {
        using var folder = new TemporaryFolder();
        using var image = Picture(1);
        var file = Save(folder, image, 0);
        var model = ImageClassifier.Create("vit-nano", s_labels, Side, seed: 3);
        var predictor = new PicturePredictor(model.Network, model.Processor.ToPipeline());
        model.Dispose();
        model.Dispose();

        foreach (var use in new Action[]
        {
            () => model.Predict(image), () => model.Predict(file), () => model.Predict([file]), () => model.Predict([image]), () => model.Predict(File.ReadAllBytes(file)),
            () => model.Predict(new MemoryStream()), () => model.Explain(file), () => model.Embed(file), () => model.Embed(image), () => model.Embed([file]), () => model.Save(folder["saved"]), () => model.ExportOnnx(folder["saved"]),
        })
        {
            Assert.Equal("Cannot access a disposed object.\nObject name: 'Vizsla.ImageClassifier'.", Assert.Throws<ObjectDisposedException>(use).Message.ReplaceLineEndings("\n"));
        }

        Assert.Throws<ObjectDisposedException>(() => predictor.Predict(image));
        Assert.False(Directory.Exists(folder["saved"]));
    }

    [Fact]
    public void No_classes_asked_for_blames_the_argument_that_says_so()
    {
        using var image = Picture(1);
        using var model = ImageClassifier.Create("vit-nano", s_labels, Side, seed: 3);

        foreach (var use in new Action[] { () => model.Predict(image, topK: 0), () => model.Predict("photo.jpg", topK: 0), () => model.Predict(["photo.jpg"], topK: 0), () => model.Predict([image], topK: 0) })
        {
            var error = Assert.Throws<ArgumentOutOfRangeException>(use);
            Assert.Equal("topK ('0') must be greater than or equal to '1'. (Parameter 'topK')\nActual value was 0.", error.Message.ReplaceLineEndings("\n"));
        }
    }

    [Fact]
    public async Task Bytes_streams_pictures_and_waiting_callers_get_the_same_answer()
    {
        using var folder = new TemporaryFolder();
        using var image = Picture(1);
        using var other = Picture(2);
        var (file, second, broken) = (Save(folder, image, 0), Save(folder, other, 1), folder["broken.png"]);
        File.WriteAllText(broken, "no picture");
        using var model = ImageClassifier.Create("vit-nano", s_labels, Side, seed: 3);
        var expected = model.Predict(file);
        await using var stream = File.OpenRead(file);
        await using var again = File.OpenRead(file);

        Assert.Equal(expected, model.Predict(File.ReadAllBytes(file)));
        Assert.Equal(expected, model.Predict(stream));
        Assert.Equal(expected, await model.PredictAsync(file, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(expected, await model.PredictAsync(again, cancellationToken: TestContext.Current.CancellationToken));
        var both = await model.PredictAsync([file, broken, second], cancellationToken: TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);
        AssertClose([expected, model.Predict(other)], [both[0].Predictions, both[2].Predictions]);
        AssertClose([expected, model.Predict(other)], model.Predict([image, other]));
        Assert.Equal(model.Predict([file, broken, second]).Select(p => (p.File, p.Error)), both.Select(p => (p.File, p.Error)));
        var error = await Assert.ThrowsAsync<ImageFormatException>(() => model.PredictAsync(broken, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(Assert.Throws<ImageFormatException>(() => model.Predict(broken)).Message, error.Message);
    }

    [Fact]
    public async Task A_cancelled_caller_does_not_wait()
    {
        using var folder = new TemporaryFolder();
        using var image = Picture(1);
        var file = Save(folder, image, 0);
        using var model = ImageClassifier.Create("vit-nano", s_labels, Side, seed: 3);
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => model.PredictAsync(file, cancellationToken: stop.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await model.PredictAsync([file], cancellationToken: stop.Token).ToListAsync());
        Assert.ThrowsAny<OperationCanceledException>(() => model.Predict([file], cancellationToken: stop.Token).ToList());
        Assert.ThrowsAny<OperationCanceledException>(() => model.Predict([image], cancellationToken: stop.Token));
    }

    [Theory]
    [InlineData("vit-nano")]
    [InlineData("resnet18")]
    public void Features_are_what_the_head_turns_into_scores(string name)
    {
        using var folder = new TemporaryFolder();
        using var image = Picture(1);
        var (file, broken) = (Save(folder, image, 0), folder["broken.png"]);
        File.WriteAllText(broken, "no picture");
        using var model = ImageClassifier.Create(name, s_labels, Side, seed: 3);

        var features = model.Embed(image);

        using (TorchSharp.torch.no_grad())
        using (var row = TorchSharp.torch.tensor(features, [1, features.Length]))
        using (var logits = model.Network.Head(row))
        {
            var scores = Scores.Apply(ScoreFunction.Softmax, logits.data<float>().ToArray());
            AssertClose([model.Predict(image)], [Scores.Top(scores, model.Labels, 5)]);
        }

        Assert.Equal(features, model.Embed(file));
        var many = model.Embed([file, broken]).ToList();
        Assert.Equal(features.Length, many[0].Values.Length);
        Assert.All(features.Zip(many[0].Values), pair => Assert.Equal(pair.First, pair.Second, Rounding * 10));
        Assert.Equal((broken, 0), (many[1].File, many[1].Values.Length));
        Assert.NotNull(many[1].Error);
    }

    private static string Train(TinyRun run, string name, bool bf16, Action<ImageClassifier> ask)
    {
        using var model = run.Model();
        using var trainer = new Trainer(model, run.Arguments(name) with { Bf16 = bf16, GradientAccumulationSteps = 2 }, TinyRun.Train(), TinyRun.Eval(), new TrainerOptions { Callbacks = [new Asking(() => ask(model))] });
        trainer.Train();
        return State(model);
    }

    private static void AssertClose(IReadOnlyList<IReadOnlyList<Prediction>> expected, IReadOnlyList<IReadOnlyList<Prediction>> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (known, given) in expected.Zip(actual))
        {
            var scores = given.ToDictionary(p => p.Index, p => p.Score);
            Assert.Equal(known.Count, given.Count);
            Assert.All(known, p => Assert.Equal(p.Score, scores[p.Index], Rounding));
        }
    }

    private static Image Picture(int number, int side = Side)
    {
        var image = new Image(side, side);
        for (var y = 0; y < side; y++)
        {
            var row = image.Row(y);
            for (var x = 0; x < row.Length; x++)
            {
                row[x] = (byte)(x * (3 + number) + y * (7 * number + 1));
            }
        }

        return image;
    }

    private static string Save(TemporaryFolder folder, Image image, int number)
    {
        var file = folder[$"{number}.png"];
        ImageCodec.SavePng(image, file);
        return file;
    }

    private static string Modes(ImageClassifier model) => string.Join(' ', model.Network.named_modules().Select(m => $"{m.name}:{m.module.training}"));

    private static string State(ImageClassifier model) =>
        string.Join('\n', model.Network.State().Select(s => $"{s.Name} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(s.Value.bytes))}"));

    private sealed class Asking(Action ask) : TrainerCallback
    {
        public override void OnStepBegin(TrainerContext context) => ask();

        public override void OnSubstepEnd(TrainerContext context) => ask();

        public override void OnPredictionStep(TrainerContext context, int batch, int batchCount) => ask();

        public override void OnStepEnd(TrainerContext context) => ask();
    }
}
