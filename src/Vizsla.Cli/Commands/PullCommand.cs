using System.CommandLine;
using Vizsla.Hub;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla pull</c>: a repository's files to this machine.</summary>
internal sealed class PullCommand : Verb
{
    private readonly Option<string> _repo;
    private readonly Option<string> _type;
    private readonly Option<string> _revision;
    private readonly Option<string?> _output;
    private readonly Option<string[]> _include;
    private readonly Option<string[]> _exclude;
    private readonly Option<int> _workers;

    public PullCommand()
        : base("pull", "Fetch a repository from the Hub, into the cache or a folder.",
            "vizsla pull --repo user/vit-pets",
            "vizsla pull --repo user/vit-pets --revision v1 --output vit-pets --exclude \"*.bin\"")
    {
        var defaults = new SnapshotOptions();
        _repo = AddRequired<string>("--repo", "Repository: owner/name.");
        _type = AddOption("--type", "model or dataset.", "model", "--repo_type");
        _revision = AddOption("--revision", "Branch, tag or commit.", "main");
        _output = AddOption<string>("--output", "Folder to put the files into. Default: the cache alone.", aliases: ["--local_dir"]);
        _include = AddOption("--include", "Pattern of files to fetch; repeatable; default: all.", Array.Empty<string>());
        _exclude = AddOption("--exclude", "Pattern of files to leave out; repeatable.", Array.Empty<string>());
        _workers = AddOption("--workers", "Files fetched at the same time, at least 1.", defaults.MaxWorkers);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var type = Choice.Parse("--type", arguments.GetValue(_type)!, ("model", RepoType.Model), ("dataset", RepoType.Dataset));
        using var client = new HubClient();
        var folder = await TransferDisplay.RunAsync(console, "fetched", progress => client.SnapshotDownloadAsync(
            RepoId.Parse(arguments.GetValue(_repo)!, type),
            arguments.GetValue(_revision),
            new SnapshotOptions
            {
                AllowPatterns = arguments.GetValue(_include)!,
                IgnorePatterns = arguments.GetValue(_exclude)!,
                LocalDirectory = arguments.GetValue(_output),
                MaxWorkers = Math.Max(1, arguments.GetValue(_workers)),
                Progress = progress,
            },
            cancellationToken));
        console.WriteLine(folder);
        return 0;
    }
}
