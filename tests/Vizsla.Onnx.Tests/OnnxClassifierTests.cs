using Vizsla.Export;
using Vizsla.Imaging;
using Vizsla.Inference;

namespace Vizsla.Onnx.Tests;

/// <summary>The model without libtorch answers as the network does, however it is asked.</summary>
public sealed class OnnxClassifierTests(ExportedModel model) : IClassFixture<ExportedModel>
{
    private const float Near = 1e-5f;

    [Fact]
    public async Task Every_way_of_asking_gives_the_network_s_scores()
    {
        using var classifier = OnnxClassifier.Load(model.Folder);
        var photo = model.Photos[0];
        using var image = ImageCodec.Load(photo);
        var expected = model.Network.Predict(photo, topK: 3);
        await using var stream = File.OpenRead(photo);
        await using var again = File.OpenRead(photo);

        Assert.Equal(model.Network.Labels, classifier.Labels);
        Assert.Equal(model.Network.Processor, classifier.Processor);
        AssertClose(expected, classifier.Predict(photo, topK: 3));
        AssertClose(expected, classifier.Predict(await File.ReadAllBytesAsync(photo), topK: 3));
        AssertClose(expected, classifier.Predict(stream, topK: 3));
        AssertClose(expected, classifier.Predict(image, topK: 3));
        AssertClose(expected, await classifier.PredictAsync(photo, topK: 3));
        AssertClose(expected, await classifier.PredictAsync(again, topK: 3));
        Assert.Equal([expected[0].Label], classifier.Predict(photo, topK: 1).Select(p => p.Label));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(32)]
    public void Many_photos_are_answered_in_their_order_and_a_broken_one_with_its_sentence(int batchSize)
    {
        var broken = model.File("broken.png");
        File.WriteAllText(broken, "no picture");
        string[] files = [.. model.Photos, broken, model.Photos[0], model.File("absent.png")];
        using var classifier = OnnxClassifier.Load(model.Folder, new() { BatchSize = batchSize });

        var answers = classifier.Predict(files, topK: 3).ToList();

        var expected = model.Network.Predict(files, topK: 3).ToList();
        Assert.Equal(expected.Select(p => (p.File, p.Error)), answers.Select(p => (p.File, p.Error)));
        Assert.All(expected.Zip(answers), pair => AssertClose(pair.First.Predictions, pair.Second.Predictions));
        Assert.Empty(classifier.Predict(Array.Empty<string>()));
    }

    [Fact]
    public void Pictures_of_several_sizes_are_answered_in_their_order()
    {
        // A pipeline that keeps the picture's shape makes batches of several sizes.
        var processor = model.Network.Processor with { DoResize = false, DoCenterCrop = false };
        using var network = ImageClassifier.Create("resnet18", model.Network.Labels, ExportedModel.Side, seed: 1);
        using var classifier = OnnxClassifier.Load(network.ExportOnnx(model.File("free-size")), new() { Processor = processor });
        var images = model.Photos.Concat(model.Photos).Select(f => ImageCodec.Load(f)).ToList();
        using var torch = new SameSteps(network, processor);

        var answers = classifier.Predict(images, topK: 3);

        Assert.All(images.Zip(answers), pair => AssertClose(torch.Predict(pair.First), pair.Second));
        images.ForEach(i => i.Dispose());
    }

    [Fact]
    public void Any_number_of_threads_share_one_session()
    {
        using var classifier = OnnxClassifier.Load(model.Folder);
        var expected = model.Photos.Select(f => model.Network.Predict(f, topK: 3)).ToList();

        Parallel.For(0, 64, new() { MaxDegreeOfParallelism = 8 }, i => AssertClose(expected[i % expected.Count], classifier.Predict(model.Photos[i % expected.Count], topK: 3)));
    }

    [Fact]
    public void An_answer_takes_no_new_array_of_its_picture_s_size()
    {
        const int Side = 224;
        using var network = ImageClassifier.Create("vit-nano", model.Network.Labels, Side, seed: 1);
        using var classifier = OnnxClassifier.Load(network.ExportOnnx(model.File("large")));
        using var image = ImageCodec.Load(model.Photos[0]);
        using var picture = classifier.Prepare(image);
        _ = classifier.ComputeLogits([picture]);

        var before = GC.GetAllocatedBytesForCurrentThread();
        _ = classifier.ComputeLogits([picture]);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 3 * Side * Side);
    }

    [Fact]
    public async Task Memory_follows_the_processors_and_not_the_threads_or_pictures_that_ask()
    {
        const int Threads = 8;
        using var classifier = OnnxClassifier.Load(model.Folder);
        using var image = ImageCodec.Load(model.Photos[0]);
        using var start = new Barrier(Threads);
        var expected = model.Network.Predict(model.Photos[0], topK: 3);

        await Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(
            () =>
            {
                start.SignalAndWait();
                for (var i = 0; i < 20; i++)
                {
                    AssertClose(expected, classifier.Predict(image, topK: 3));
                }
            },
            TaskCreationOptions.LongRunning)));
        var many = classifier.Predict([.. Enumerable.Repeat(image, 32)], topK: 3);

        Assert.All(many, answer => AssertClose(expected, answer));
        Assert.InRange(classifier.Session.MostRuns, 1, Environment.ProcessorCount);
        Assert.InRange(classifier.Session.MostTogether, 1, 2 * Environment.ProcessorCount);
    }

    [Fact]
    public async Task A_cancelled_caller_gets_no_answer()
    {
        using var classifier = OnnxClassifier.Load(model.Folder);
        using var image = ImageCodec.Load(model.Photos[0]);
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => classifier.PredictAsync(model.Photos[0], cancellationToken: stop.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => classifier.PredictAsync(new MemoryStream(), cancellationToken: stop.Token));
        Assert.ThrowsAny<OperationCanceledException>(() => classifier.Predict([image], cancellationToken: stop.Token));
        Assert.ThrowsAny<OperationCanceledException>(() => classifier.Predict([model.Photos[0]], cancellationToken: stop.Token).ToList());
    }

    [Fact]
    public async Task A_classifier_that_is_disposed_while_it_is_asked_answers_or_says_so()
    {
        var classifier = OnnxClassifier.Load(model.Folder);
        using var image = ImageCodec.Load(model.Photos[0]);
        var expected = classifier.Predict(image, topK: 3);
        using var started = new SemaphoreSlim(0);
        var refused = 0;

        var asking = Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
            () =>
            {
                AssertClose(expected, classifier.Predict(image, topK: 3));
                started.Release();
                try
                {
                    while (true)
                    {
                        AssertClose(expected, classifier.Predict(image, topK: 3));
                    }
                }
                catch (ObjectDisposedException)
                {
                    Interlocked.Increment(ref refused);
                }
            },
            TaskCreationOptions.LongRunning)).ToArray();
        for (var i = 0; i < asking.Length; i++)
        {
            await started.WaitAsync();
        }

        classifier.Dispose();
        classifier.Dispose();
        await Task.WhenAll(asking);

        Assert.Equal(4, refused);
        Assert.Equal(typeof(OnnxClassifier).FullName, Assert.Throws<ObjectDisposedException>(() => classifier.Predict(image)).ObjectName);
    }

    [Fact]
    public void No_classes_asked_for_blames_the_argument_that_says_so()
    {
        using var classifier = OnnxClassifier.Load(model.Folder);
        using var image = ImageCodec.Load(model.Photos[0]);

        Assert.Equal("topK", Assert.Throws<ArgumentOutOfRangeException>(() => classifier.Predict(image, topK: 0)).ParamName);
        Assert.Equal("topK", Assert.Throws<ArgumentOutOfRangeException>(() => classifier.Predict([image], topK: 0)).ParamName);
        Assert.Equal("topK", Assert.Throws<ArgumentOutOfRangeException>(() => classifier.Predict(["photo.jpg"], topK: 0)).ParamName);
        Assert.Equal("options", Assert.Throws<ArgumentOutOfRangeException>(() => OnnxClassifier.Load(model.Folder, new() { BatchSize = 0 })).ParamName);
    }

    [Theory]
    [InlineData(OnnxPrecision.Float32)]
    [InlineData(OnnxPrecision.Int8)]
    public void A_file_that_prepares_pictures_itself_gives_the_same_answers(OnnxPrecision precision)
    {
        var file = model.File($"prepared-{precision}.onnx");
        OnnxPreprocessing.Wrap(model.Network.StartExport().Make(precision), model.Network.Processor.ToPipeline(), ScoreFunction.Softmax, model.Network.Labels).Save(file);
        using var classifier = OnnxClassifier.Load(file);

        Assert.Null(classifier.Processor);
        Assert.Equal(model.Network.Labels, classifier.Labels);
        foreach (var photo in model.Photos)
        {
            // A level of a pixel, and what int8 rounds.
            AssertClose(model.Network.Predict(photo, topK: 3), classifier.Predict(photo, topK: 3), 0.02f);
        }
    }

    internal static void AssertClose(IReadOnlyList<Prediction> expected, IReadOnlyList<Prediction> actual, float near = Near)
    {
        var scores = actual.ToDictionary(p => p.Label, p => p.Score);
        Assert.Equal(expected.Count, actual.Count);
        Assert.All(expected, p => Assert.Equal(p.Score, scores[p.Label], near));
    }

    private sealed class SameSteps(ImageClassifier network, Transforms.ImageProcessor processor) : IDisposable
    {
        private readonly PicturePredictor _predictor = new(network.Network, processor.ToPipeline(), options: new() { TopK = 3 });

        public IReadOnlyList<Prediction> Predict(Image image) => _predictor.Predict(image);

        public void Dispose() => network.Dispose();
    }
}
