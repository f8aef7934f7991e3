using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Analysis;
using Vizsla.Datasets;
using Vizsla.Hub.Cache;
using Vizsla.Inference;
using Vizsla.Models;
using Vizsla.Primitives;
using Vizsla.Serving.Queues;
using Vizsla.Studio.Runs;

namespace Vizsla.Studio.Datasets;

/// <summary>Compares the pictures of the given dataset by a model's features in the background: labels that are probably wrong, and a map.</summary>
internal sealed class DatasetReview(DatasetLibrary library, DatasetShelf shelf, RunLibrary runs, StudioOptions options)
{
    private const int FewestOnMap = 4;

    private readonly Lock _lock = new();
    private HashSet<(string File, string Label)>? _kept;

    /// <summary>Raised on any thread when the page is to be rendered again.</summary>
    public event Action? Changed;

    /// <summary>Names of the models to choose from: those given, then the runs that hold one.</summary>
    public IReadOnlyList<string> Models => [.. options.Models.Select(ModelEntry.NameOf).Concat(runs.FindModels().Select(r => r.Name)).Distinct(StringComparer.Ordinal)];

    /// <summary>What is being done; null when nothing is.</summary>
    public string? Doing { get; private set; }

    /// <summary>Why nothing came of it.</summary>
    public string? Problem { get; private set; }

    /// <summary>The model whose features were compared; null before the first time.</summary>
    public string? Model { get; private set; }

    /// <summary>Whether that model knows the classes of the dataset: trained on wrong labels it agrees with them.</summary>
    public bool KnowsClasses { get; private set; }

    /// <summary>Labels that are probably wrong, the least probable first; null before they were looked for.</summary>
    public IReadOnlyList<SuspectLabel>? Suspects { get; private set; }

    /// <summary>The pictures with their places in the plane; null before they were laid out.</summary>
    public IReadOnlyList<(string File, string Label, Vector2 Place)>? Map { get; private set; }

    /// <summary>Begins to compare, unless that goes on.</summary>
    /// <param name="model">One of <see cref="Models"/>.</param>
    public void Start(string model)
    {
        lock (_lock)
        {
            if (Doing is not null || !Models.Contains(model))
            {
                return;
            }

            (Doing, Problem, Suspects, Map, Model) = ("Loading the model", null, null, null, model);
        }

        new Thread(() => Run(model)) { IsBackground = true, Name = "vizsla dataset review" }.Start();
        Changed?.Invoke();
    }

    /// <summary>The labels that nobody decided on: their pictures are there, with the label that was suspicious.</summary>
    public IReadOnlyList<(SuspectLabel Suspect, DatasetPhoto Photo)> Open()
    {
        var photos = library.Photos.ToDictionary(shelf.FileOf, StringComparer.Ordinal);
        lock (_lock)
        {
            return [.. (Suspects ?? []).Where(s => photos.TryGetValue(s.File, out var photo) && photo.Label == s.Label && !Kept.Contains((s.File, s.Label))).Select(s => (s, photos[s.File]))];
        }
    }

    /// <summary>A label is right as it is, or that is taken back; kept in the dataset's folder.</summary>
    public void Keep(SuspectLabel suspect, bool isRight)
    {
        lock (_lock)
        {
            if (isRight ? !Kept.Add((suspect.File, suspect.Label)) : !Kept.Remove((suspect.File, suspect.Label)))
            {
                return;
            }

            AtomicFile.Write(KeptFile, string.Concat(Kept.OrderBy(k => k.File, StringComparer.Ordinal).ThenBy(k => k.Label, StringComparer.Ordinal).Select(k => new JsonObject { ["file_name"] = k.File, ["label"] = k.Label }.ToJsonString() + "\n")));
        }

        Changed?.Invoke();
    }

    private string KeptFile => Path.Combine(options.Dataset!, ".studio", "kept-labels.jsonl");

    private HashSet<(string File, string Label)> Kept => _kept ??= ReadKept();

    private HashSet<(string File, string Label)> ReadKept()
    {
        try
        {
            return File.Exists(KeptFile) ? [.. File.ReadLines(KeptFile).Select(line => JsonNode.Parse(line)).Select(n => ((string?)n?["file_name"] ?? "", (string?)n?["label"] ?? ""))] : [];
        }
        catch (Exception e) when (e is IOException or JsonException or InvalidOperationException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private void Tell(string? doing)
    {
        Doing = doing;
        Changed?.Invoke();
    }

    private void Run(string model)
    {
        try
        {
            var photos = library.Photos;
            var classes = library.Given!.Values.First().ClassNames;
            var (kept, features) = Embed(model, photos, classes);
            Review(kept, features, classes);
            if (features.Count >= FewestOnMap)
            {
                Tell("Laying out the map");
                Map = [.. kept.Zip(PlaneMap.Layout(features), (photo, place) => (shelf.FileOf(photo), photo.Label, place))];
            }
        }
        catch (Exception e)
        {
            // The edge between a background thread and the page that shows what became of it.
            Problem = e is ModelLoadException ? e.Message : e is DatasetException or IOException ? "The dataset cannot be read." : "The comparison failed; the server's log says why.";
        }
        finally
        {
            Tell(null);
        }
    }

    // Pictures that cannot be read are left out; the check names them.
    private (List<DatasetPhoto> Photos, List<float[]> Features) Embed(string model, IReadOnlyList<DatasetPhoto> photos, IReadOnlyList<string> classes)
    {
        using var classifier = ImageClassifier.FromPretrained(options.Models.FirstOrDefault(m => ModelEntry.NameOf(m) == model) ?? runs.Find(model)?.Folder ?? model);
        KnowsClasses = classifier.Labels.Order(StringComparer.Ordinal).SequenceEqual(classes.Order(StringComparer.Ordinal));
        var predictor = new PicturePredictor(classifier.Network, classifier.Processor.ToPipeline());
        var (kept, features, done) = (new List<DatasetPhoto>(), new List<float[]>(), 0);
        foreach (var split in library.Given!)
        {
            foreach (var answer in predictor.Embed(split.Value))
            {
                if (answer.Error is null)
                {
                    kept.Add(photos[done]);
                    features.Add(answer.Values);
                }

                if (++done % 16 == 0)
                {
                    Tell($"Compared {done} of {photos.Count} pictures");
                }
            }
        }

        return (kept, features);
    }

    private void Review(List<DatasetPhoto> photos, List<float[]> features, IReadOnlyList<string> classes)
    {
        if (classes.Count == 0)
        {
            return;
        }

        Tell("Looking for labels that are probably wrong");
        var numbers = classes.Index().ToDictionary(c => c.Item, c => c.Index, StringComparer.Ordinal);
        try
        {
            var review = LabelReview.Run(features, [.. photos.Select(p => numbers[p.Label])], classes.Count);
            Suspects = [.. review.Issues.Select(i => new SuspectLabel(shelf.FileOf(photos[i.Row]), classes[i.Given], classes[i.Suggested], i.Score, review.Agreement[i.Row]))];
        }
        catch (ArgumentException)
        {
            Problem = "Labels are compared where two classes or more have two pictures at least each.";
        }
    }
}

/// <summary>A label that is probably wrong.</summary>
/// <param name="File">The picture's path below the dataset's folder, separated by '/'.</param>
/// <param name="Label">Its class.</param>
/// <param name="Suggested">The class it looks like.</param>
/// <param name="Probability">Of its class, by a classifier that did not see it, 0 to 1.</param>
/// <param name="Agreement">Share of the nearest pictures of its class, 0 to 1.</param>
public sealed record SuspectLabel(string File, string Label, string Suggested, double Probability, double Agreement);
