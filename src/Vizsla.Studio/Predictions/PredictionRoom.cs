using System.Diagnostics;
using System.Globalization;
using Vizsla.Datasets;
using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Primitives;
using Vizsla.Serving;
using Vizsla.Serving.Queues;
using Vizsla.Studio.Datasets;
using Vizsla.Studio.Pictures;
using Vizsla.Studio.Runs;

namespace Vizsla.Studio.Predictions;

/// <summary>What the page of predictions needs: models to choose, examples to click, answers.</summary>
internal sealed class PredictionRoom(ModelCatalog catalog, RunLibrary runs, DatasetLibrary datasets, PictureStore pictures, StudioOptions options)
{
    private const int ExampleCount = 8;
    private const int DrawnSide = 256;
    private const int JpegQuality = 92;
    private static readonly string[] Splits = ["test", "validation", "train"];

    /// <summary>Names of models: those given, then the runs that hold one.</summary>
    public IReadOnlyList<string> Choices => [.. catalog.Names.Concat(runs.FindModels().Select(r => r.Name)).Distinct(StringComparer.Ordinal)];

    /// <summary>Opens a model and returns its classes, how it is explained, and what its scores are calibrated by.</summary>
    /// <exception cref="RefusedException">There is no such model.</exception>
    public async Task<(IReadOnlyList<string> Labels, ExplanationMethod? Method, Calibration? Calibration)> DescribeAsync(string name)
    {
        var model = (await OpenAsync(name).ConfigureAwait(false)).Model;
        return (model.Labels, (model as ClassifierModel)?.Method, (model as ClassifierModel)?.Calibration);
    }

    /// <summary>Whether an uploaded picture is still there.</summary>
    public bool HasPicture(string id) => pictures.Contains(id);

    /// <summary>Puts an example among the uploaded pictures.</summary>
    public Task<string> KeepAsync(PictureExample example) => pictures.AddAsync(example.Bytes(), CancellationToken.None);

    /// <summary>Every class of an uploaded picture, the most likely first.</summary>
    /// <exception cref="RefusedException">The picture is gone, or too many wait.</exception>
    public async Task<PictureAnswer> PredictAsync(string name, string picture)
    {
        var count = (await OpenAsync(name).ConfigureAwait(false)).Model.Labels.Count;
        var start = Stopwatch.GetTimestamp();
        var classes = await catalog.PredictAsync(name, pictures.Read(picture), count, null, CancellationToken.None).ConfigureAwait(false);
        return new(classes, Stopwatch.GetElapsedTime(start));
    }

    /// <summary>Pictures to click on, and where they come from: the run's test split, else drawn.</summary>
    public (IReadOnlyList<PictureExample> Examples, string Source) Examples(string name)
    {
        if (runs.Find(name) is { } run && Split(run) is { } rows)
        {
            var picks = RandomRows(rows.Count);
            return ([.. picks.Select(row => new PictureExample(
                rows.ClassNames.ElementAtOrDefault(rows.Label(row)) ?? $"picture {row}",
                DatasetEndpoints.Address(rows.Split!, row, 160, run.Name),
                () => rows[row].ReadBytes().ToArray()))], $"from the {rows.Split} split of the run's data");
        }

        var drawn = AnimalPainter.Classes.Select(animal => new PictureExample(animal, $"/predict/drawn?animal={animal}&side=160", () => Draw(animal)));
        return ([new PictureExample("a vizsla", $"/pictures/{PictureStore.Sample}?side=160", () => pictures.Read(PictureStore.Sample)), .. drawn], "drawn by the studio");
    }

    /// <summary>A drawn animal as a file.</summary>
    /// <exception cref="RefusedException">No such animal is drawn.</exception>
    public static byte[] Draw(string animal)
    {
        if (!AnimalPainter.Classes.Contains(animal))
        {
            throw new RefusedException(404, "There is no such picture.");
        }

        using var image = AnimalPainter.Paint(animal, DrawnSide, new Rng(7));
        using var memory = new MemoryStream();
        ImageCodec.SaveJpeg(image, memory, JpegQuality);
        return memory.ToArray();
    }

    /// <summary>Opens a model that was given or belongs to a run.</summary>
    /// <exception cref="RefusedException">There is no such model.</exception>
    public Task<ModelQueue> OpenAsync(string name)
    {
        if (catalog.TryGet(name, out var queue))
        {
            return Task.FromResult(queue);
        }

        return !catalog.Names.Contains(name) && runs.Find(name) is { HasModel: true } run
            ? catalog.OpenAsync(ServedModels.Entry(options.Serve(name, run.Folder)))
            : Task.FromResult(catalog.Get(name));
    }

    /// <summary>The picture as the model takes it.</summary>
    public static string SeenAddress(string model, string picture) =>
        $"/predict/seen?model={Uri.EscapeDataString(model)}&picture={Uri.EscapeDataString(picture)}";

    /// <summary>The same under the map of where the model looked.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="picture">The picture's name in the store.</param>
    /// <param name="label">Index of the class to explain; null takes the most likely.</param>
    public static string LookedAddress(string model, string picture, int? label) =>
        $"/predict/looked?model={Uri.EscapeDataString(model)}&picture={Uri.EscapeDataString(picture)}"
        + (label is { } index ? "&label=" + index.ToString(CultureInfo.InvariantCulture) : "");

    private ImageDataset? Split(RunSnapshot run)
    {
        try
        {
            return datasets.OfRun(run) is { } splits && Splits.FirstOrDefault(splits.ContainsKey) is { } name ? splits[name] : null;
        }
        catch (DatasetException)
        {
            return null;
        }
    }

    // The same pictures each time, from all over the split.
    private static IEnumerable<int> RandomRows(int count)
    {
        var rng = new Rng(13);
        return Enumerable.Range(0, count).Select(row => (row, Key: rng.NextUInt32())).OrderBy(p => p.Key).Take(ExampleCount).Select(p => p.row);
    }
}
