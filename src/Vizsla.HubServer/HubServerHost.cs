using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Vizsla.HubServer.Accounts;
using Vizsla.HubServer.Api;
using Vizsla.HubServer.Commits;
using Vizsla.HubServer.LargeFiles;
using Vizsla.HubServer.Pages;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Repositories;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer;

/// <summary>A running Hub.</summary>
public sealed class HubServerHost : IAsyncDisposable
{
    private const int MaxFormValues = 200_000;

    private readonly WebApplication _application;

    private HubServerHost(WebApplication application, Uri address, Uri? storage, string tokenFile)
    {
        _application = application;
        Address = address;
        StorageAddress = storage;
        TokenFile = tokenFile;
    }

    /// <summary>What clients set <c>HF_ENDPOINT</c> to.</summary>
    public Uri Address { get; }

    /// <summary>Where large files come from; null when from the Hub itself.</summary>
    public Uri? StorageAddress { get; }

    /// <summary>The file of the first user's token.</summary>
    public string TokenFile { get; }

    internal IServiceProvider Services => _application.Services;

    /// <summary>Starts; the first start makes the user <c>user</c> with a write token.</summary>
    /// <param name="options">Folder, port and the rest.</param>
    /// <param name="logging">Where the log goes; null keeps none.</param>
    /// <param name="time">The clock of dates and expiry; null is the system's.</param>
    /// <param name="cancellationToken">Stops starting.</param>
    /// <exception cref="IOException">The folder cannot be written or the port is taken.</exception>
    public static async Task<HubServerHost> StartAsync(HubServerOptions options, Action<ILoggingBuilder>? logging = null, TimeProvider? time = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var clock = time ?? TimeProvider.System;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        logging?.Invoke(builder.Logging);
        var ports = new ServerPorts();
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options));
        AddServices(builder.Services, options, ports, clock);

        var application = builder.Build();
        try
        {
            application.Services.GetRequiredService<LargeFileStore>().Sweep(clock.GetUtcNow());
            var tokenFile = await HubAdministration.EnsureFirstUserAsync(application.Services.GetRequiredService<AccountStore>(), options, cancellationToken).ConfigureAwait(false);
            Map(application);
            await application.StartAsync(cancellationToken).ConfigureAwait(false);
            var addresses = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a)).ToList();
            ports.Hub = addresses[0].Port;
            ports.Storage = options.StoragePort is null ? null : addresses[1].Port;
            return new HubServerHost(application, options.PublicUrl ?? Reachable(addresses[0]), ports.Storage is null ? null : Reachable(addresses[1]), tokenFile);
        }
        catch
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Serves until it is told to stop; requests under way are finished first.</summary>
    /// <param name="cancellationToken">Tells it to stop.</param>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await _application.StopAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync().ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
    }

    private static void Listen(KestrelServerOptions kestrel, HubServerOptions options)
    {
        kestrel.AddServerHeader = false;
        // Names of files and branches come back in headers.
        kestrel.ResponseHeaderEncodingSelector = _ => Encoding.UTF8;
        foreach (var port in new[] { options.Port, options.StoragePort }.OfType<int>())
        {
            if (options.Host == "localhost")
            {
                kestrel.ListenLocalhost(port);
            }
            else
            {
                kestrel.Listen(IPAddress.TryParse(options.Host, out var address)
                    ? address
                    : throw new ArgumentException($"'{options.Host}' is not an address to listen on; use 127.0.0.1 for this machine alone, 0.0.0.0 for all."), port);
            }
        }
    }

    private static void AddServices(IServiceCollection services, HubServerOptions options, ServerPorts ports, TimeProvider time)
    {
        services.AddSingleton(options).AddSingleton(ports).AddSingleton(time);
        services.AddSingleton(p => HubAdministration.OpenDatabase(options.DataDirectory, p.GetRequiredService<ILogger<HubServerHost>>()));
        services.AddSingleton<AccountStore>().AddSingleton<RepositoryStore>().AddSingleton<TreeStore>().AddSingleton<CommitWriter>().AddSingleton<Gate>().AddSingleton<HostGuard>();
        services.AddSingleton<CardStore>().AddSingleton<DiscussionStore>().AddSingleton<DiscussionEndpoints>();
        services.AddSingleton(p => new LargeFileStore(p.GetRequiredService<HubDatabase>(), options.DataDirectory));
        services.AddSingleton(p => new LinkSigner(p.GetRequiredService<HubDatabase>(), time, options.LinkLifetime));
        services.AddSingleton<RepositoryEndpoints>().AddSingleton<ReferenceEndpoints>().AddSingleton<TreeEndpoints>().AddSingleton<CommitEndpoints>();
        services.AddSingleton<LargeFileEndpoints>().AddSingleton<StorageEndpoints>().AddSingleton<ResolveEndpoints>().AddSingleton<PageEndpoints>();
        services.Configure<FormOptions>(form => form.ValueCountLimit = MaxFormValues);
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
    }

    private static void Map(WebApplication application)
    {
        application.UseMiddleware<HubPipeline>();
        application.UseRouting();
        AccountEndpoints.Map(application);
        RepositoryEndpoints.Map(application);
        ReferenceEndpoints.Map(application);
        DiscussionEndpoints.Map(application);
        TreeEndpoints.Map(application);
        CommitEndpoints.Map(application);
        LargeFileEndpoints.Map(application);
        StorageEndpoints.Map(application);
        ResolveEndpoints.Map(application);
        PageEndpoints.Map(application);
        application.MapFallback((HttpContext context, Gate gate) => NotFound(context, gate));
    }

    // Names without an owner are names of no repository here; clients must hear that, not that the page is missing.
    private static IResult NotFound(HttpContext context, Gate gate)
    {
        var path = context.Request.Path.Value ?? "";
        if (path.StartsWith("/api/models/", StringComparison.Ordinal) || path.StartsWith("/api/datasets/", StringComparison.Ordinal) || path.Contains("/resolve/", StringComparison.Ordinal))
        {
            if (RepoTarget.Parse(context.Features.Get<IHttpRequestFeature>()!.RawTarget) is not { } target)
            {
                gate.See(context, null);
            }
            else if (path.StartsWith("/api/", StringComparison.Ordinal) && gate.See(context, target).Repository is { } repository)
            {
                throw new Refusal(StatusCodes.Status501NotImplemented, $"This Hub does not offer {context.Request.Method} {Answers.Printable(path)}; the {repository.Id.TypeName} '{repository.Id.Id}' is there.");
            }
        }

        throw Refusal.NoPage();
    }

    private static Uri Reachable(Uri address) => address.Host is "0.0.0.0" or "[::]" ? new UriBuilder(address) { Host = "127.0.0.1" }.Uri : address;
}
