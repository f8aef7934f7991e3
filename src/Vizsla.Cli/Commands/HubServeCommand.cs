using System.CommandLine;
using Microsoft.Extensions.Logging;
using Vizsla.HubServer;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla hub serve</c>.</summary>
internal sealed class HubServeCommand : Verb
{
    private readonly Option<string> _data;
    private readonly Option<int> _port;
    private readonly Option<string> _host;
    private readonly Option<string?> _tokenFile;
    private readonly Option<int?> _storagePort;
    private readonly Option<string?> _publicUrl;
    private readonly Option<string[]> _allowedHosts;
    private readonly Option<bool> _verbose;

    public HubServeCommand()
        : base("serve", "Serve a Hub from a folder; the first start makes the user 'user' with a write token.",
            "vizsla hub serve --data hub-data",
            "vizsla hub serve --data hub-data --host 0.0.0.0 --port 8000 --public_url https://hub.example.org")
    {
        _data = AddRequired<string>("--data", "Folder of the Hub's data; created if missing.");
        _port = AddOption("--port", "Port to listen on; 0 takes a free one.", HubServerOptions.DefaultPort);
        _host = AddOption("--host", "Address to listen on; 127.0.0.1 accepts connections from this computer only, 0.0.0.0 from everywhere.", "127.0.0.1");
        _tokenFile = AddOption<string>("--token_file", "File with the first user's token: read if it exists, else written. Default: DATA/token.");
        _storagePort = AddOption<int?>("--storage_port", "A second port for the bytes of large files; default: the Hub's own.");
        _publicUrl = AddOption<string>("--public_url", "Address that clients use when the Hub is behind a proxy.");
        _allowedHosts = AddOption("--allowed_host", "A name, besides addresses, localhost and that of --public_url, under which clients may call; repeatable.", Array.Empty<string>());
        _verbose = AddOption<bool>("--verbose", "Log every request.");
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var options = new HubServerOptions
        {
            DataDirectory = arguments.GetValue(_data)!,
            Port = arguments.GetValue(_port),
            Host = arguments.GetValue(_host)!,
            TokenFile = arguments.GetValue(_tokenFile),
            AllowedHosts = arguments.GetValue(_allowedHosts)!,
            StoragePort = arguments.GetValue(_storagePort),
            PublicUrl = arguments.GetValue(_publicUrl) is not { } text ? null
                : Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url
                : throw new UsageException($"--public_url takes an address such as https://hub.example.org, got '{text}'."),
        };
        var level = arguments.GetValue(_verbose) ? LogLevel.Information : LogLevel.Warning;
        await using var host = await HubServerHost.StartAsync(options, logging => logging.SetMinimumLevel(level).AddProvider(new ConsoleLog(console)), cancellationToken: cancellationToken);
        console.WriteLine($"Hub at {host.Address}");
        console.Note($"Clients: HF_ENDPOINT={host.Address.ToString().TrimEnd('/')}; the token of 'user' is in '{host.TokenFile}'. Ctrl-C stops.");
        await host.RunAsync(cancellationToken);
        return 0;
    }
}
