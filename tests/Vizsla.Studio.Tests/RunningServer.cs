using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Vizsla.Inference;
using Vizsla.Serving;
using Vizsla.Serving.Queues;
using Vizsla.Studio.Labeling;
using Vizsla.Studio.Predictions;

namespace Vizsla.Studio.Tests;

/// <summary>A server on a free port of this computer, and a client for it.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private RunningServer(WebApplication application)
    {
        Application = application;
        var addresses = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>();
        Address = new Uri(addresses!.Addresses.First());
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = Address };
    }

    public WebApplication Application { get; }

    public Uri Address { get; }

    public HttpClient Client { get; }

    /// <summary>The bare service with one model called <c>colors</c>.</summary>
    public static Task<RunningServer> ServeAsync(IBatchClassifier model, Action<ServingOptions>? configure = null, Action<HostOptions>? host = null)
    {
        var serving = new ServingOptions { MaxDelay = TimeSpan.Zero };
        configure?.Invoke(serving);
        var listen = new HostOptions();
        host?.Invoke(listen);
        return StartAsync(ServeApplication.Create([new ModelEntry("colors", _ => model)], listen, serving));
    }

    /// <summary>The bare service with a model in files, called <c>small</c>.</summary>
    public static Task<RunningServer> ServeAsync(string folder) =>
        StartAsync(ServeApplication.Create([new ServedModel("small", folder)], new HostOptions { Port = 0 }, new ServingOptions { MaxDelay = TimeSpan.Zero }));

    /// <summary>The pages.</summary>
    public static Task<RunningServer> StudioAsync(StudioOptions options, int port = 0)
    {
        options.Host.Port = port;
        return StartAsync(StudioApplication.Create(options));
    }

    /// <summary>The page on which photos are labelled.</summary>
    public static Task<RunningServer> LabelAsync(LabelSession session) => StartAsync(LabelApplication.Create(session, new HostOptions { Port = 0 }));

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Application.StopAsync();
        await Application.DisposeAsync();
    }

    private static async Task<RunningServer> StartAsync(WebApplication application)
    {
        await application.StartAsync();
        await application.Services.GetRequiredService<ModelCatalog>().Loaded;
        return new(application);
    }
}
