using System.CommandLine;
using Vizsla.Cli.Jobs;

namespace Vizsla.Cli.Commands;

/// <summary>The options by which verbs that compare the pictures of a dataset say which pictures, and by whose features.</summary>
internal sealed class EmbeddingFlags
{
    private readonly Option<string> _dataset = new("--dataset") { Description = "Folder, or name of a dataset on the Hub.", Required = true };
    private readonly Option<string?> _revision = new("--revision", "--dataset_revision") { Description = "Branch, tag or commit of a dataset on the Hub. Default: main." };
    private readonly DatasetFlags _loading;
    private readonly Option<string?> _split = new("--split") { Description = "Split to take. Default: all of them together." };
    private readonly Option<string> _model = new("--model") { Description = "Model whose features are compared: a folder, or a name on the Hub.", Required = true };
    private readonly Option<string?> _modelRevision = new("--model_revision") { Description = "Branch, tag or commit of a model on the Hub. Default: main." };
    private readonly Option<string> _badImages = new("--bad_images") { Description = "Pictures that cannot be read completely: error or skip.", DefaultValueFactory = _ => "error" };

    /// <param name="verb">The verb that gets the options.</param>
    public EmbeddingFlags(Command verb)
    {
        verb.Options.Add(_dataset);
        verb.Options.Add(_revision);
        _loading = new DatasetFlags(verb);
        verb.Options.Add(_split);
        verb.Options.Add(_model);
        verb.Options.Add(_modelRevision);
        verb.Options.Add(_badImages);
    }

    /// <summary>The model that was asked for.</summary>
    /// <param name="arguments">The parsed command line.</param>
    public string Model(ParseResult arguments) => arguments.GetValue(_model)!;

    /// <summary>Opens the dataset, looks at every picture, and runs it through the network.</summary>
    /// <param name="arguments">The parsed command line.</param>
    /// <param name="others">Photos outside of the dataset to run too.</param>
    /// <param name="console">Where progress is shown.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<EmbeddedDataset> OpenAsync(ParseResult arguments, IReadOnlyList<string> others, CommandConsole console, CancellationToken cancellationToken)
    {
        var (name, split) = (arguments.GetValue(_dataset)!, arguments.GetValue(_split));
        var (model, modelRevision) = (Model(arguments), arguments.GetValue(_modelRevision));
        var skips = DatasetSource.SkipsBadImages(arguments.GetValue(_badImages)!);
        await ModelFetch.EnsureAsync(console, model, modelRevision, cancellationToken);
        var available = await DatasetSource.OpenAsync(name, arguments.GetValue(_revision), _loading.Read(arguments), console, cancellationToken);
        if (split is not null)
        {
            DatasetSource.RequireSplit(available, name, split);
        }

        string[] names = split is null ? [.. available.Keys] : [split];
        var read = DatasetSource.Check(available, name, names, skips, console, cancellationToken);
        using var classifier = ImageClassifier.FromPretrained(model, revision: modelRevision);
        return EmbeddedDataset.Compute(read, name, names, classifier, others, console, cancellationToken);
    }
}
