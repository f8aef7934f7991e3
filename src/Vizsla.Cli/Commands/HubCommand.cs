using System.CommandLine;
using Vizsla.Hub;
using Vizsla.HubServer;
using Vizsla.HubServer.Accounts;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla hub</c>: a self-hosted Hub.</summary>
internal sealed class HubCommand : Command
{
    public HubCommand()
        : base("hub", "Run a self-hosted Hub for models and datasets of a team.")
    {
        Subcommands.Add(new HubServeCommand());
        Subcommands.Add(new UserCommand());
        Subcommands.Add(new TokenCommand());
        Subcommands.Add(new AccessCommand());
    }

    private sealed class UserCommand : Command
    {
        public UserCommand()
            : base("user", "Users of a Hub.")
        {
            Subcommands.Add(new AddCommand());
            Subcommands.Add(new ListCommand());
        }
    }

    private sealed class AddCommand : DataVerb
    {
        private readonly Argument<string> _name;

        public AddCommand()
            : base("add", "Add a user, who owns the repositories that begin with that name.", "vizsla hub user add anna --data hub-data")
        {
            _name = AddArgument<string>("name", "Letters, digits, '-', '_', '.'.", ArgumentArity.ExactlyOne);
        }

        protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, HubAdministration hub, CancellationToken cancellationToken)
        {
            var name = arguments.GetValue(_name)!;
            await hub.AddUserAsync(name, cancellationToken);
            console.WriteLine(await hub.CreateTokenAsync(name, TokenRole.Write, "first", cancellationToken));
            console.Note($"Added '{name}'. The line above is a write token, shown this once; '{name}' keeps it with 'vizsla login'.");
            return 0;
        }
    }

    private sealed class ListCommand : DataVerb
    {
        public ListCommand()
            : base("list", "List the users.", "vizsla hub user list --data hub-data")
        {
        }

        protected override Task<int> RunAsync(ParseResult arguments, CommandConsole console, HubAdministration hub, CancellationToken cancellationToken)
        {
            foreach (var user in hub.Users)
            {
                console.WriteLine(user);
            }

            return Task.FromResult(0);
        }
    }

    private sealed class TokenCommand : DataVerb
    {
        private readonly Argument<string> _user;
        private readonly Option<string> _role;
        private readonly Option<string> _label;
        private readonly Option<bool> _revoke;

        public TokenCommand()
            : base("token", "Create a token for a user, or revoke all of the user's tokens.",
                "vizsla hub token anna --role read --data hub-data",
                "vizsla hub token anna --revoke --data hub-data")
        {
            _user = AddArgument<string>("user", "Whose token.", ArgumentArity.ExactlyOne);
            _role = AddOption("--role", "What the token may do: read or write.", "write");
            _label = AddOption("--label", "A name to know the token by.", "token");
            _revoke = AddOption<bool>("--revoke", "Revoke all tokens of the user instead.");
        }

        protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, HubAdministration hub, CancellationToken cancellationToken)
        {
            var user = arguments.GetValue(_user)!;
            if (arguments.GetValue(_revoke))
            {
                console.WriteLine($"{await hub.RevokeTokensAsync(user, cancellationToken)} tokens of '{user}' are no longer valid.");
                return 0;
            }

            var role = Choice.Parse("--role", arguments.GetValue(_role)!, ("read", TokenRole.Read), ("write", TokenRole.Write));
            console.WriteLine(await hub.CreateTokenAsync(user, role, arguments.GetValue(_label)!, cancellationToken));
            console.Note("The line above is the token, shown this once.");
            return 0;
        }
    }

    private sealed class AccessCommand : DataVerb
    {
        private readonly Option<string> _repo;
        private readonly Option<string> _type;
        private readonly Option<string> _user;
        private readonly Option<string> _role;

        public AccessCommand()
            : base("access", "Grant or revoke a user's access to another user's repository.",
                "vizsla hub access --repo user/vit-pets --user anna --role write --data hub-data",
                "vizsla hub access --repo user/vit-pets --user anna --role none --data hub-data")
        {
            _repo = AddRequired<string>("--repo", "Repository: owner/name.");
            _type = AddOption("--type", "model or dataset.", "model", "--repo_type");
            _user = AddRequired<string>("--user", "Who.");
            _role = AddRequired<string>("--role", "read, write or none.");
        }

        protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, HubAdministration hub, CancellationToken cancellationToken)
        {
            var type = Choice.Parse("--type", arguments.GetValue(_type)!, ("model", RepoType.Model), ("dataset", RepoType.Dataset));
            var role = Choice.Parse("--role", arguments.GetValue(_role)!, ("read", TokenRole.Read), ("write", TokenRole.Write), ("none", TokenRole.None));
            var repo = RepoId.Parse(arguments.GetValue(_repo)!, type);
            await hub.SetRoleAsync(repo, arguments.GetValue(_user)!, role, cancellationToken);
            console.WriteLine($"'{arguments.GetValue(_user)}' may {(role is TokenRole.None ? "no longer see" : role is TokenRole.Read ? "read" : "read and write")} {repo.TypeName} '{repo.Id}', beyond what everybody may.");
            return 0;
        }
    }

    /// <summary>A verb that works on a Hub's folder.</summary>
    private abstract class DataVerb : Verb
    {
        private readonly Option<string> _data;

        protected DataVerb(string name, string description, params string[] examples)
            : base(name, description, examples)
        {
            _data = AddRequired<string>("--data", "Folder of the Hub.");
        }

        protected sealed override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
        {
            using var hub = new HubAdministration(arguments.GetValue(_data)!);
            return await RunAsync(arguments, console, hub, cancellationToken);
        }

        protected abstract Task<int> RunAsync(ParseResult arguments, CommandConsole console, HubAdministration hub, CancellationToken cancellationToken);
    }
}
