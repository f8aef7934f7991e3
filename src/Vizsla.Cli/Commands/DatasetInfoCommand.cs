using System.CommandLine;
using Vizsla.Cli.Jobs;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla dataset info</c>: rows of each split, then the classes.</summary>
internal sealed class DatasetInfoCommand : Verb
{
    private readonly Option<string> _dataset;
    private readonly Option<string?> _revision;
    private readonly DatasetFlags _loading;

    public DatasetInfoCommand()
        : base("info", "Print the rows of each split as plain digits, the columns and the classes.", "vizsla dataset info --dataset PetClassification")
    {
        _dataset = AddRequired<string>("--dataset", "Folder, or name of a dataset on the Hub.");
        _revision = AddOption<string>("--revision", "Branch, tag or commit on the Hub.", aliases: "--dataset_revision");
        _loading = new DatasetFlags(this);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var splits = await DatasetSource.OpenAsync(arguments.GetValue(_dataset)!, arguments.GetValue(_revision), _loading.Read(arguments), console, cancellationToken);
        foreach (var (name, split) in splits)
        {
            console.WriteLine($"{name}: {split.Count}");
        }

        console.WriteLine($"columns: {string.Join(", ", splits.Features.Names)}");
        if (splits.Features.ClassLabel is { } label)
        {
            console.WriteLine($"classes: {label.NumClasses} ({string.Join(", ", label.Names)})");
        }

        return 0;
    }
}
