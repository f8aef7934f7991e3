using System.CommandLine;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Vizsla.Serving;
using Vizsla.Studio;

namespace Vizsla.Cli.Commands;

/// <summary>What every verb that listens is asked: where, for whom, how many at once.</summary>
internal sealed class ServerOptions
{
    private readonly Option<string> _host;
    private readonly Option<int> _port;
    private const string TokenVariable = "VIZSLA_TOKEN";

    private readonly Option<string?> _token;
    private readonly Option<string?> _tokenFile;
    private readonly Option<bool> _noToken;
    private readonly Option<string[]> _allowedHosts;
    private readonly Option<string[]> _allowedOrigins;
    private readonly Option<int>? _maxBatch;
    private readonly Option<double>? _maxDelay;
    private readonly Option<int>? _maxQueue;

    /// <param name="verb">The verb to add the options to.</param>
    /// <param name="port">The port's default.</param>
    /// <param name="servesModels">Whether pictures wait for a model in batches.</param>
    public ServerOptions(Command verb, int port, bool servesModels = true)
    {
        var defaults = new ServingOptions();
        _host = Add(verb, new Option<string>("--host") { Description = "Address to listen on; 127.0.0.1 accepts connections from this computer only, 0.0.0.0 from everywhere.", DefaultValueFactory = _ => "127.0.0.1" });
        _port = Add(verb, new Option<int>("--port") { Description = "Port to listen on; 0 takes a free one.", DefaultValueFactory = _ => port });
        _token = Add(verb, new Option<string?>("--token") { Description = $"Secret that every request must show; asked for beyond this computer. Other users see it in the list of processes: --token_file and {TokenVariable} keep it to yourself." });
        _tokenFile = Add(verb, new Option<string?>("--token_file") { Description = $"File of that secret; without either, the variable {TokenVariable}." });
        _noToken = Add(verb, new Option<bool>("--no_token") { Description = "Listen beyond this computer without a token: whoever reaches it may use it." });
        _allowedHosts = Add(verb, new Option<string[]>("--allowed_host") { Description = "A name, besides addresses and localhost, under which browsers may call; repeatable.", DefaultValueFactory = _ => [] });
        _allowedOrigins = Add(verb, new Option<string[]>("--allowed_origin") { Description = "An origin such as https://pets.example.org whose pages may call; repeatable.", DefaultValueFactory = _ => [] });
        if (!servesModels)
        {
            return;
        }

        _maxBatch = Add(verb, new Option<int>("--max_batch") { Description = "Most pictures in one forward pass.", DefaultValueFactory = _ => defaults.MaxBatch });
        _maxDelay = Add(verb, new Option<double>("--max_delay_ms") { Description = "Milliseconds that the first picture of a batch waits for others.", DefaultValueFactory = _ => defaults.MaxDelay.TotalMilliseconds });
        _maxQueue = Add(verb, new Option<int>("--max_queue") { Description = "Most pictures that wait; further ones are answered with 429.", DefaultValueFactory = _ => defaults.MaxQueue });
    }

    /// <summary>Where to listen and whom to answer.</summary>
    public void Apply(ParseResult arguments, HostOptions host)
    {
        var text = arguments.GetValue(_host)!;
        host.Address = text == "localhost" ? IPAddress.Loopback
            : IPAddress.TryParse(text, out var address) ? address
            : throw new UsageException($"--host takes an address such as 127.0.0.1 or 0.0.0.0, got '{text}'.");
        host.Port = arguments.GetValue(_port);
        host.Token = TokenOf(arguments.GetValue(_token), arguments.GetValue(_tokenFile));
        host.AllowNoToken = arguments.GetValue(_noToken);
        host.AllowedHosts = arguments.GetValue(_allowedHosts)!;
        host.AllowedOrigins = arguments.GetValue(_allowedOrigins)!;
    }

    /// <summary>Batches and waiting room.</summary>
    public void Apply(ParseResult arguments, ServingOptions serving)
    {
        serving.MaxBatch = arguments.GetValue(_maxBatch!);
        serving.MaxDelay = TimeSpan.FromMilliseconds(arguments.GetValue(_maxDelay!));
        serving.MaxQueue = arguments.GetValue(_maxQueue!);
    }

    /// <summary>Runs an application until it is asked to stop, and finishes what it took.</summary>
    /// <param name="create">Builds the application; a wrong option is wrong use.</param>
    /// <param name="started">Called with the address when it listens.</param>
    /// <param name="cancellationToken">Asks it to stop.</param>
    public static async Task RunAsync(Func<WebApplication> create, Func<WebApplication, string, Task> started, CancellationToken cancellationToken)
    {
        await using var application = Create(create);
        await StartAsync(application, cancellationToken);
        try
        {
            var addresses = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>();
            await started(application, addresses!.Addresses.First());
            await ServeApplication.WaitUntilReadyAsync(application, cancellationToken);
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to stop: that is how a server ends well.
        }
        finally
        {
            await application.StopAsync(CancellationToken.None);
        }
    }

    // A model that fails early ends the application while it starts; what the model failed by is what matters.
    private static async Task StartAsync(WebApplication application, CancellationToken cancellationToken)
    {
        try
        {
            await application.StartAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await ServeApplication.WaitUntilReadyAsync(application, cancellationToken);
            throw;
        }
    }

    private static string? TokenOf(string? token, string? file)
    {
        if (file is null)
        {
            return token ?? (Environment.GetEnvironmentVariable(TokenVariable) is { Length: > 0 } value ? value : null);
        }

        if (token is not null)
        {
            throw new UsageException("--token and --token_file were both given; give one.");
        }

        var text = File.Exists(file) ? File.ReadAllText(file).Trim() : throw new UsageException($"--token_file: there is no file '{file}'.");
        return text.Length > 0 ? text : throw new UsageException($"--token_file: '{file}' is empty; it must hold the token.");
    }

    private static WebApplication Create(Func<WebApplication> create)
    {
        try
        {
            return create();
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message);
        }
    }

    private static Option<T> Add<T>(Command verb, Option<T> option)
    {
        verb.Options.Add(option);
        return option;
    }
}
