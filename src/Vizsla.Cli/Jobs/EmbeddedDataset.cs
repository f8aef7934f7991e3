using Vizsla.Datasets;
using Vizsla.Imaging;
using Vizsla.Inference;

namespace Vizsla.Cli.Jobs;

/// <summary>The pictures of a dataset, of one split or of all, with what a network makes of each.</summary>
internal sealed class EmbeddedDataset
{
    private readonly DatasetDict _splits;
    private readonly List<(string Split, int Row)> _rows;

    private EmbeddedDataset(string title, DatasetDict splits, IEnumerable<string> names, IReadOnlyList<string> modelClasses)
    {
        (Title, _splits, ModelClasses) = (title, splits, modelClasses);
        _rows = [.. names.SelectMany(name => Enumerable.Range(0, splits[name].Count).Select(row => (name, row)))];
        Classes = splits.Values.First().ClassNames;
    }

    /// <summary>What the dataset is called.</summary>
    public string Title { get; }

    /// <summary>Class names of the dataset; empty where it has no labels.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>Class names of the model.</summary>
    public IReadOnlyList<string> ModelClasses { get; }

    /// <summary>Features of each picture.</summary>
    public IReadOnlyList<float[]> Features { get; private set; } = [];

    /// <summary>Class number of each picture; empty where the dataset has no labels.</summary>
    public IReadOnlyList<int> Labels { get; private set; } = [];

    /// <summary>Features of photos outside of the dataset, in the order asked.</summary>
    public IReadOnlyList<float[]> Others { get; private set; } = [];

    /// <summary>Runs the pictures through a network.</summary>
    /// <param name="splits">The dataset, every picture known to be whole.</param>
    /// <param name="title">What the dataset is called.</param>
    /// <param name="names">The splits that count.</param>
    /// <param name="classifier">The network and its preprocessing.</param>
    /// <param name="others">Photos outside of the dataset to run too.</param>
    /// <param name="console">Where progress is shown.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="DatasetException">A picture or photo cannot be read.</exception>
    public static EmbeddedDataset Compute(
        DatasetDict splits, string title, IReadOnlyList<string> names, ImageClassifier classifier, IReadOnlyList<string> others, CommandConsole console, CancellationToken cancellationToken)
    {
        var predictor = new PicturePredictor(classifier.Network, classifier.Processor.ToPipeline());
        var result = new EmbeddedDataset(title, splits, names, classifier.Network.Configuration.Id2Label) { Others = [.. predictor.Embed(others, cancellationToken).Select(Whole)] };
        result.Compute(console, predictor, cancellationToken);
        return result;
    }

    /// <summary>Refuses a dataset without labels.</summary>
    /// <exception cref="UsageException">There is no column of classes, or a picture has no label.</exception>
    public void RequireLabels()
    {
        if (Labels.Count == 0)
        {
            throw new UsageException($"'{Title}' has no labels to review. Name the column that holds them with --label_column.");
        }
    }

    /// <summary>Name of a picture: its path below the dataset's folder where it is a file there.</summary>
    /// <param name="picture">Number of the picture, from 0.</param>
    public string Name(int picture)
    {
        var name = _splits[_rows[picture].Split][_rows[picture].Row].Name;
        return Path.IsPathRooted(name) && Path.GetRelativePath(Title, name) is var relative && !relative.StartsWith("..", StringComparison.Ordinal)
            ? relative.Replace(Path.DirectorySeparatorChar, '/')
            : name;
    }

    /// <summary>Split of a picture.</summary>
    /// <param name="picture">Number of the picture, from 0.</param>
    public string Split(int picture) => _rows[picture].Split;

    /// <summary>Class name of a picture.</summary>
    /// <param name="picture">Number of the picture, from 0.</param>
    public string LabelOf(int picture) => Labels.Count == 0 ? "" : Classes[Labels[picture]];

    /// <summary>The picture; the caller owns it.</summary>
    /// <param name="picture">Number of the picture, from 0.</param>
    public Image Load(int picture) => _splits[_rows[picture].Split].LoadImage(_rows[picture].Row);

    private void Compute(CommandConsole console, PicturePredictor predictor, CancellationToken cancellationToken)
    {
        var count = _rows.Count;
        Features = PictureProgress.Run(console, report =>
        {
            var features = new List<float[]>(count);
            foreach (var split in _rows.Select(r => r.Split).Distinct())
            {
                foreach (var answer in predictor.Embed(_splits[split], cancellationToken))
                {
                    features.Add(Whole(answer));
                    report("compared", features.Count, count);
                }
            }

            return features;
        });
        Labels = Classes.Count == 0 ? [] : [.. _rows.Select(r => _splits[r.Split].Label(r.Row))];
    }

    private static float[] Whole(PictureFeatures features) => features.Error is null ? features.Values : throw new DatasetException($"Cannot read '{features.File}': {features.Error}.");
}
