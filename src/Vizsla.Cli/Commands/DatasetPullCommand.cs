using System.CommandLine;
using Vizsla.Hub;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla dataset pull</c>: the files of a dataset from a Hub.</summary>
internal sealed class DatasetPullCommand : Verb
{
    private readonly Option<string> _repo;
    private readonly Option<string?> _output;
    private readonly Option<string?> _revision;

    public DatasetPullCommand()
        : base("pull", "Fetch the files of a dataset from the Hub that HF_ENDPOINT names.", "vizsla dataset pull --repo user/pets --output pets")
    {
        _repo = AddRequired<string>("--repo", "owner/name on the Hub.");
        _output = AddOption<string>("--output", "Folder to put the files into. Default: the cache alone.");
        _revision = AddOption<string>("--revision", "Branch, tag or commit.");
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        using var hub = new HubClient();
        var folder = await hub.SnapshotDownloadAsync(
            RepoId.Dataset(arguments.GetValue(_repo)!), arguments.GetValue(_revision), new SnapshotOptions { LocalDirectory = arguments.GetValue(_output) }, cancellationToken);
        console.WriteLine(folder);
        return 0;
    }
}
