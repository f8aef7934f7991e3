using System.CommandLine;
using Vizsla.Hub;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla whoami</c>: whose token is in use.</summary>
internal sealed class WhoAmICommand : Verb
{
    public WhoAmICommand()
        : base("whoami", "Say who is logged in to the Hub.", "vizsla whoami")
    {
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        using var client = new HubClient();
        var user = await client.WhoAmIAsync(cancellationToken);
        console.WriteLine(user.Name);
        console.Note($"{client.Options.Endpoint.GetLeftPart(UriPartial.Authority)}{(user.Role is null ? "" : $", {user.Role} token")}{(user.Organizations.Count > 0 ? ", member of " + string.Join(", ", user.Organizations) : "")}");
        return 0;
    }
}
