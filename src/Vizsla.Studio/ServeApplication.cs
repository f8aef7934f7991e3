using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using Vizsla.Serving;
using Vizsla.Serving.Api;
using Vizsla.Serving.Queues;
using Vizsla.Studio.Hosting;
using Vizsla.Studio.Predictions;

namespace Vizsla.Studio;

/// <summary>The serving application: models over HTTP, health, metrics, an OpenAPI document and a page to try it.</summary>
internal static class ServeApplication
{
    /// <summary>Builds the application; it does not listen until it is started.</summary>
    /// <param name="models">What to serve.</param>
    /// <param name="host">Where to listen and whom to answer.</param>
    /// <param name="serving">Batches and limits.</param>
    /// <returns>An application that the caller runs and disposes.</returns>
    /// <exception cref="ArgumentException">An option is out of its range, or a name cannot be part of an address.</exception>
    public static WebApplication Create(IEnumerable<ServedModel> models, HostOptions host, ServingOptions serving)
    {
        ArgumentNullException.ThrowIfNull(models);
        var served = models.ToList();
        var bases = new SharedBases(served);
        return Create(served.Select(m => ServedModels.Entry(m, bases)), host, serving);
    }

    /// <summary>The name of a model in addresses when none is given: the last part of its folder or Hub name.</summary>
    /// <param name="nameOrFolder">Run folder, timm folder, or Hub name.</param>
    public static string NameOf(string nameOrFolder)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrFolder);
        return ModelEntry.NameOf(nameOrFolder);
    }

    /// <summary>Waits until every model of a started application is loaded.</summary>
    /// <param name="application">Made by <see cref="Create(IEnumerable{ServedModel}, HostOptions, ServingOptions)"/> and started.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="Exception">What loading the first bad model threw.</exception>
    public static Task WaitUntilReadyAsync(WebApplication application, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(application);
        return application.Services.GetRequiredService<ModelCatalog>().Loaded.WaitAsync(cancellationToken);
    }

    internal static WebApplication Create(IEnumerable<ModelEntry> models, HostOptions host, ServingOptions serving)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(serving);
        var builder = ServerSetup.CreateBuilder(host, serving);
        AddService(builder.Services, models, serving);

        var application = builder.Build();
        ServerSetup.UseSafety(application);
        application.UseStatusCodePages(context => ErrorAnswers.ExplainStatusAsync(context.HttpContext));
        application.UseRouting();
        MapService(application);
        application.MapGet("/", () => Results.Redirect("/_content/Vizsla.Studio/try.html")).ExcludeFromDescription();
        EmbeddedAssets.Map(application);
        return application;
    }

    /// <summary>What the bare service and the studio share.</summary>
    internal static void AddService(IServiceCollection services, IEnumerable<ModelEntry> models, ServingOptions serving)
    {
        services.AddSingleton(serving);
        services.AddVizslaServing();
        foreach (var model in models)
        {
            services.AddVizslaModel(model);
        }

        services.AddOpenApi(options => options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "Vizsla";
            document.Components ??= new();
            (document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>())["bearer"] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "The token of --token, where the server was started with one.",
            };
            document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("bearer", document)] = [] }];
            return Task.CompletedTask;
        }));
        services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService("vizsla")).WithMetrics(metrics => metrics
            .AddMeter(ServingMetrics.MeterName, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
            .AddPrometheusExporter());
    }

    internal static void MapService(WebApplication application)
    {
        PredictionEndpoints.MapModels(application, "/models");
        PredictionEndpoints.MapService(application);
        application.MapOpenApi("/openapi.json");
        application.MapPrometheusScrapingEndpoint();
    }
}
