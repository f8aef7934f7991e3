using Microsoft.AspNetCore.Http;
using Vizsla.Analysis;
using Vizsla.Datasets;
using Vizsla.Datasets.Readers;
using Vizsla.Hub.Cache;
using Vizsla.Serving;

namespace Vizsla.Studio.Labeling;

/// <summary>A photo that waits for its label.</summary>
/// <param name="Id">Number of the photo.</param>
/// <param name="Name">Its path below the folder.</param>
/// <param name="Likely">The likeliest classes by the labels so far, best first; none before there are two classes.</param>
/// <param name="Probability">Probability of the first of them, 0 to 1.</param>
internal sealed record WaitingPhoto(int Id, string Name, IReadOnlyList<string> Likely, double Probability)
{
    /// <summary>The likeliest class; null before there are two.</summary>
    public string? Suggested => Likely.Count > 0 ? Likely[0] : null;
}

/// <summary>What the page shows.</summary>
/// <param name="Classes">The classes, in the order in which they were named.</param>
/// <param name="Labelled">Photos with a label.</param>
/// <param name="Total">All photos.</param>
/// <param name="Next">The photos to label next.</param>
/// <param name="Last">The label given last, to be taken back; null where there is none.</param>
/// <param name="Curve">Accuracy on held-out labels after so many labels.</param>
/// <param name="Forecast">What further labels will bring; null before it is known.</param>
internal sealed record LabelState(
    IReadOnlyList<string> Classes, int Labelled, int Total, IReadOnlyList<WaitingPhoto> Next, string? Last, IReadOnlyList<LabelForecast> Curve, LabelForecast? Forecast);

/// <summary>Photos and the labels that they get: each is in the CSV file before it is answered, and a classifier learns from them meanwhile.</summary>
internal sealed class LabelSession : IDisposable
{
    private const int Ahead = 12;
    private const int LearnEach = 5;
    private const int ForecastMore = 50;
    private const int LikelyCount = 9;

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly IReadOnlyList<string> _files;
    private readonly IReadOnlyList<string> _names;
    private readonly LabelOrder _order;
    private readonly string _output;
    private readonly (string Id, string Label) _columns;
    private readonly List<string> _classes;
    private readonly Dictionary<int, int> _labels = [];
    private readonly HashSet<int> _skipped = [];
    private readonly List<int> _history = [];
    private readonly List<LabelForecast> _curve = [];
    private IReadOnlyList<int> _next;
    private int _learnt;
    private Task _learning = Task.CompletedTask;

    /// <param name="files">Paths of the photos.</param>
    /// <param name="names">What each is called in the file.</param>
    /// <param name="features">What a network makes of each.</param>
    /// <param name="output">The CSV file; one that is there is gone on with.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="classes">Classes to begin with.</param>
    /// <exception cref="DatasetException">The file is no label file, or names photos that are not here.</exception>
    public LabelSession(IReadOnlyList<string> files, IReadOnlyList<string> names, IReadOnlyList<float[]> features, string output, (string Id, string Label) columns, IEnumerable<string> classes)
    {
        (_files, _names, _output, _columns) = (files, names, output, columns);
        _order = new LabelOrder(features);
        _classes = [.. classes.Distinct()];
        if (File.Exists(output))
        {
            Take(output);
        }

        _order.Learn(_labels, Math.Max(2, _classes.Count));
        _learnt = _labels.Count;
        _next = _order.Next(_labels.Keys, Ahead);
    }

    /// <summary>The path of a photo.</summary>
    /// <exception cref="RefusedException">There is no such photo.</exception>
    public string FileOf(int id) => id >= 0 && id < _files.Count ? _files[id] : throw new RefusedException(StatusCodes.Status404NotFound, "There is no such photo.");

    /// <summary>What the page shows.</summary>
    public LabelState State()
    {
        lock (_gate)
        {
            return Describe();
        }
    }

    /// <summary>Labels a photo; the file has it when this returns.</summary>
    /// <param name="id">Number of the photo.</param>
    /// <param name="label">Its class, which may be new; null passes it over.</param>
    /// <exception cref="RefusedException">There is no such photo, or the label cannot be.</exception>
    public LabelState Answer(int id, string? label)
    {
        _ = FileOf(id);
        label = label?.Trim();
        if (label is not null && (label.Length is 0 or > 200 || label.Any(char.IsControl)))
        {
            throw new RefusedException(StatusCodes.Status400BadRequest, "A label is a text of 1 to 200 characters in one line.");
        }

        lock (_gate)
        {
            if (label is null)
            {
                _skipped.Add(id);
            }
            else
            {
                if (!_classes.Contains(label))
                {
                    _classes.Add(label);
                }

                _labels[id] = _classes.IndexOf(label);
                _history.Remove(id);
                _history.Add(id);
                Save();
            }

            Advance();
            return Describe();
        }
    }

    /// <summary>Takes the last label back; its photo is asked for again at once.</summary>
    /// <exception cref="RefusedException">There is none of this session.</exception>
    public LabelState Undo()
    {
        lock (_gate)
        {
            if (_history.Count == 0)
            {
                throw new RefusedException(StatusCodes.Status400BadRequest, "There is no label to take back.");
            }

            var id = _history[^1];
            _history.RemoveAt(_history.Count - 1);
            _labels.Remove(id);
            Save();
            _next = [id, .. _next.Where(i => i != id)];
            return Describe();
        }
    }

    /// <summary>Waits until the classifier has learnt from what was labelled.</summary>
    public Task LearntAsync()
    {
        lock (_gate)
        {
            return _learning;
        }
    }

    public void Dispose()
    {
        _closing.Cancel();
        LearntAsync().ContinueWith(_ => _closing.Dispose(), TaskScheduler.Default);
    }

    private void Advance()
    {
        _next = [.. _next.Where(i => !_labels.ContainsKey(i) && !_skipped.Contains(i))];
        if (_learning.IsCompleted && (_next.Count == 0 || _labels.Count - _learnt >= LearnEach))
        {
            var (labels, done, classes) = (new Dictionary<int, int>(_labels), Done(), Math.Max(2, _classes.Count));
            _learning = Task.Run(() => Learn(labels, done, classes));
        }

        if (_next.Count == 0)
        {
            // Faster than the classifier: far ones keep the labels diverse.
            _next = [.. Enumerable.Range(0, _files.Count).Where(i => !_labels.ContainsKey(i) && !_skipped.Contains(i)).Take(Ahead)];
        }
    }

    private void Learn(Dictionary<int, int> labels, List<int> done, int classes)
    {
        try
        {
            _order.Learn(labels, classes, _closing.Token);
            var next = _order.Next(done, Ahead);
            var forecast = _order.Forecast(labels, classes, ForecastMore, _closing.Token);
            lock (_gate)
            {
                _learnt = labels.Count;
                _next = [.. next.Where(i => !_labels.ContainsKey(i) && !_skipped.Contains(i))];
                if (forecast is not null)
                {
                    _curve.RemoveAll(p => p.Labels >= forecast.Labels);
                    _curve.Add(forecast);
                }
            }
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            // The server ends; the labels are in the file.
        }
    }

    private List<int> Done() => [.. _labels.Keys, .. _skipped];

    private LabelState Describe() => new(
        [.. _classes], _labels.Count, _files.Count, [.. _next.Take(Ahead).Select(Waiting)], _history.Count > 0 ? $"{_names[_history[^1]]}: {_classes[_labels[_history[^1]]]}" : null, [.. _curve],
        _curve.Count > 0 ? _curve[^1] : null);

    private WaitingPhoto Waiting(int id)
    {
        var probabilities = _order.Probabilities(id);
        var likely = (probabilities ?? []).Index().OrderByDescending(p => p.Item).Where(p => p.Index < _classes.Count).Take(LikelyCount).ToList();
        return new WaitingPhoto(id, _names[id], [.. likely.Select(p => _classes[p.Index])], likely.Count > 0 ? likely[0].Item : 0);
    }

    private void Take(string path)
    {
        var known = _names.Index().ToDictionary(n => n.Item, n => n.Index, StringComparer.Ordinal);
        foreach (var row in LabelFile.Read(path, (_columns.Id, "--id_column"), (_columns.Label, "--label_column")))
        {
            if (!known.TryGetValue(row.Values[0], out var id))
            {
                throw new DatasetException(Invariant($"'{path}', line {row.Line}: there is no photo '{row.Values[0]}' in the folder. Give the folder that these labels are for, or another --output."));
            }

            if (!_classes.Contains(row.Values[1]))
            {
                _classes.Add(row.Values[1]);
            }

            _labels[id] = _classes.IndexOf(row.Values[1]);
        }
    }

    private void Save() => AtomicFile.Write(
        _output, string.Concat(_labels.OrderBy(l => l.Key).Select(l => Line(_names[l.Key], _classes[l.Value])).Prepend(Line(_columns.Id, _columns.Label))), flush: true);

    private static string Line(params IEnumerable<string> cells) =>
        string.Join(',', cells.Select(c => c.AsSpan().IndexOfAny(",\"\r\n;") < 0 ? c : $"\"{c.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")) + "\n";
}
