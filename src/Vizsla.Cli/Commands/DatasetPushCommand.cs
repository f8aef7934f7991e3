using System.CommandLine;
using Vizsla.Cli.Jobs;
using Vizsla.Datasets;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla dataset push</c>: a dataset to a Hub, as sharded Parquet with a card.</summary>
internal sealed class DatasetPushCommand : Verb
{
    private readonly Option<string> _dataset;
    private readonly DatasetFlags _loading;
    private readonly Option<string> _repo;
    private readonly Option<bool> _private;
    private readonly Option<string> _maxShardSize;
    private readonly Option<string> _config;
    private readonly Option<string?> _revision;
    private readonly Option<string> _message;

    public DatasetPushCommand()
        : base("push", "Push a dataset to the Hub that HF_ENDPOINT names, as Parquet with a card.", "vizsla dataset push --dataset PetClassification --repo user/pets --private")
    {
        var defaults = new DatasetPushOptions();
        _dataset = AddRequired<string>("--dataset", "Folder of the dataset.");
        _loading = new DatasetFlags(this);
        _repo = AddRequired<string>("--repo", "owner/name on the Hub; created if missing.");
        _private = AddOption("--private", "Make a new repository private.", false);
        _maxShardSize = AddOption("--max_shard_size", "Largest size of a file's rows, with a unit.", defaults.MaxShardSize);
        _config = AddOption("--config_name", "Configuration that the splits become.", defaults.ConfigName);
        _revision = AddOption<string>("--revision", "Branch; created if missing.");
        _message = AddOption("--commit_message", "Title of the commit.", defaults.CommitMessage);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var options = new DatasetPushOptions
        {
            Private = arguments.GetValue(_private) ? true : null,
            MaxShardSize = arguments.GetValue(_maxShardSize)!,
            ConfigName = arguments.GetValue(_config)!,
            Revision = arguments.GetValue(_revision),
            CommitMessage = arguments.GetValue(_message)!,
        };
        var splits = await DatasetSource.OpenAsync(arguments.GetValue(_dataset)!, revision: null, _loading.Read(arguments), console, cancellationToken);
        var result = await splits.PushToHubAsync(arguments.GetValue(_repo)!, options, cancellationToken: cancellationToken);
        console.WriteLine(result.IsEmpty ? $"Nothing had changed: {result.Url}" : $"Pushed {splits.Values.Sum(s => s.Count)} rows: {result.Url}");
        return 0;
    }
}
