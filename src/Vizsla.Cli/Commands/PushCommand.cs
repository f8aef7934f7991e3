using System.CommandLine;
using Vizsla.Hub;
using Vizsla.Runs;
using Vizsla.Training.Checkpoints;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla push</c>: a model's folder to the Hub.</summary>
internal sealed class PushCommand : Verb
{
    private readonly Option<string> _model;
    private readonly Option<string> _repo;
    private readonly Option<bool> _private;
    private readonly Option<string> _revision;
    private readonly Option<string?> _message;
    private readonly Option<string[]> _exclude;
    private readonly Option<bool> _proposal;

    public PushCommand()
        : base("push", "Push a model's folder to the Hub: weights, configuration, preprocessing, card.",
            "vizsla push --model breed-classification --repo user/vit-pets",
            "vizsla push --model breed-classification --repo user/vit-pets --private --exclude \"*.png\"")
    {
        _model = AddRequired<string>("--model", "Folder of the model, as a run leaves it; its checkpoints are left out.");
        _repo = AddRequired<string>("--repo", "Repository to push to, created if missing: owner/name, or only a name, under your own account.", "--hub_model_id");
        _private = AddOption<bool>("--private", "Make the repository private, when it is made.", "--hub_private_repo");
        _revision = AddOption("--revision", "Branch to commit to.", "main");
        _message = AddOption<string>("--message", "Title of the commit.", aliases: ["--commit_message"]);
        _exclude = AddOption("--exclude", "Pattern of files to leave out; repeatable.", Array.Empty<string>());
        _proposal = AddOption<bool>("--create_pr", "Propose the change instead of committing it.");
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var folder = arguments.GetValue(_model)!;
        if (!File.Exists(Path.Combine(folder, "config.json")) && !File.Exists(Path.Combine(folder, "adapter_config.json")))
        {
            throw new UsageException($"--model '{folder}' holds no config.json; give the folder of a run or a saved model.");
        }

        using var client = new HubClient();
        var repo = await client.WithOwnerAsync(RepoId.Model(arguments.GetValue(_repo)!), cancellationToken);
        var page = await client.CreateRepoAsync(repo, arguments.GetValue(_private) ? true : null, existOk: true, cancellationToken);
        var result = await TransferDisplay.RunAsync(console, "sent", progress => client.UploadFolderAsync(
            repo,
            folder,
            new UploadFolderOptions
            {
                Message = arguments.GetValue(_message) ?? $"Upload {Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)))}",
                IgnorePatterns = [.. RunFiles.NeverPushed, .. arguments.GetValue(_exclude)!],
                Commit = new CommitOptions { Revision = arguments.GetValue(_revision)!, CreatePullRequest = arguments.GetValue(_proposal), Progress = progress },
            },
            cancellationToken));
        console.WriteLine(result.IsEmpty ? $"{page} has these files already." : $"Pushed to {result.PullRequestUrl ?? page} ({result.Commit[..8]}).");
        return 0;
    }
}
