using System.CommandLine;
using Spectre.Console;
using Vizsla.Hub;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla login</c>: keeps a token for the Hub.</summary>
/// <remarks>The token is typed, piped or read from a file, never given as an argument: arguments are seen by every process of the machine.</remarks>
internal sealed class LoginCommand : Verb
{
    private readonly Option<string?> _file;
    private readonly Option<bool> _forget;

    public LoginCommand()
        : base("login", "Keep an access token for the Hub, so that private repositories can be read and pushes made.",
            "vizsla login",
            "vizsla login < token.txt",
            "vizsla login --token_file hub-data/token")
    {
        _file = AddOption<string>("--token_file", "File that holds the token; else it is typed, or read from standard input.");
        _forget = AddOption<bool>("--forget", "Remove the kept token instead.");
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var options = HubOptions.FromEnvironment();
        if (arguments.GetValue(_forget))
        {
            TokenStore.Delete(options.TokenPath);
            console.WriteLine($"Removed '{options.TokenPath}'.");
            return 0;
        }

        var text = arguments.GetValue(_file) is { } file ? await File.ReadAllTextAsync(file, cancellationToken)
            : Console.IsInputRedirected ? await Console.In.ReadToEndAsync(cancellationToken)
            : console.Error.Prompt(new TextPrompt<string>($"Token for {options.Endpoint.Host} (not shown):").Secret(null));
        var token = new HubToken(text);
        using var client = new HubClient(options with { Token = token });
        var user = await client.WhoAmIAsync(cancellationToken);
        TokenStore.Write(options.TokenPath, token);
        console.WriteLine($"Logged in to {options.Endpoint.GetLeftPart(UriPartial.Authority)} as {user.Name}{(user.Role is null ? "" : $" ({user.Role})")}; the token is kept in '{options.TokenPath}'.");
        return 0;
    }
}
