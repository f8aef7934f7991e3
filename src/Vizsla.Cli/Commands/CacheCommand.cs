using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Vizsla.Hub;
using Vizsla.Hub.Cache;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla cache</c>: what the Hub's cache holds, and making room.</summary>
internal sealed class CacheCommand : Command
{
    public CacheCommand()
        : base("cache", "Show what has been fetched from the Hub, and remove it.")
    {
        Subcommands.Add(new ListCommand());
        Subcommands.Add(new DeleteCommand());
    }

    private sealed class ListCommand : Verb
    {
        public ListCommand()
            : base("list", "List the repositories in the cache, their revisions and sizes.", "vizsla cache list")
        {
        }

        protected override Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
        {
            var options = HubOptions.FromEnvironment();
            var repos = new HubCache(options).Scan();
            var table = new Table().AddColumn("repository").AddColumn("revision").AddColumn("references").AddColumn(new TableColumn("files").RightAligned()).AddColumn(new TableColumn("size").RightAligned()).AddColumn("changed");
            foreach (var repo in repos)
            {
                var name = repo.Repo.ToString();
                foreach (var revision in repo.Revisions)
                {
                    table.AddRow(
                        Markup.Escape(name), revision.Commit[..8], Markup.Escape(string.Join(", ", revision.References)), revision.FileCount.ToString(CultureInfo.InvariantCulture),
                        TransferDisplay.Size(revision.Size), revision.LastModified.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
                    name = "";
                }
            }

            console.Out.Write(table);
            console.WriteLine($"{repos.Count} repositories, {TransferDisplay.Size(repos.Sum(r => r.Size))} in '{options.CacheDirectory}'.");
            return Task.FromResult(0);
        }
    }

    private sealed class DeleteCommand : Verb
    {
        private readonly Argument<string> _repo;
        private readonly Option<string?> _revision;
        private readonly Option<string> _type;

        public DeleteCommand()
            : base("delete", "Remove a repository from the cache, or one revision of it.",
                "vizsla cache delete user/vit-pets",
                "vizsla cache delete user/pets --type dataset --revision main")
        {
            _repo = AddArgument<string>("repo", "Repository: owner/name.", ArgumentArity.ExactlyOne);
            _revision = AddOption<string>("--revision", "Branch, tag or commit; default: the whole repository.");
            _type = AddOption("--type", "model or dataset.", "model", "--repo_type");
        }

        protected override Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
        {
            var type = Choice.Parse("--type", arguments.GetValue(_type)!, ("model", RepoType.Model), ("dataset", RepoType.Dataset));
            var freed = new HubCache(HubOptions.FromEnvironment()).Delete(RepoId.Parse(arguments.GetValue(_repo)!, type), arguments.GetValue(_revision));
            console.WriteLine($"Removed; {TransferDisplay.Size(freed)} are free.");
            return Task.FromResult(0);
        }
    }
}
