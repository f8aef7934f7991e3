using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Vizsla.Inference;
using Vizsla.Serving.Api;
using Vizsla.Serving.Pictures;
using Vizsla.Serving.Queues;

namespace Vizsla.Serving;

/// <summary>Adds a model to an ASP.NET Core application.</summary>
public static class ServingExtensions
{
    /// <summary>
    /// Opens a model when the application starts. Handlers ask it as <see cref="IImageClassifier"/>, by its name (<c>[FromKeyedServices("pets")]</c>) or, the first one, without;
    /// the pictures of all requests go through one bounded queue and are computed in batches. Until it is open, whoever asks waits.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="name">The model's name in addresses: letters, digits, '.', '-' and '_'.</param>
    /// <param name="open">Opens it, such as <c>_ => OnnxClassifier.Load("breeds-onnx")</c> or <c>_ => ImageClassifier.FromPretrained("runs/breeds")</c>; the application disposes it.</param>
    /// <param name="configure">Sizes of batches and limits, shared by all models; null keeps the defaults.</param>
    /// <param name="files">The files that the model is read from: when others take their place it is opened anew, and the old one answers meanwhile. Null never does.</param>
    /// <returns>The services, for further calls; call once per model.</returns>
    /// <exception cref="ArgumentException">The name cannot be part of an address.</exception>
    /// <remarks>
    /// A picture that is not answered throws <see cref="RefusedException"/>, with the status that a handler returns. The health check <c>vizsla</c> says whether every model can answer;
    /// the meter <c>Vizsla.Serving</c> counts pictures, batches and those who wait.
    /// </remarks>
    public static IServiceCollection AddVizslaClassifier(
        this IServiceCollection services, string name, Func<IServiceProvider, IBatchClassifier> open, Action<ServingOptions>? configure = null, Func<IEnumerable<string>>? files = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(open);
        return services.AddVizslaModel(new ModelEntry(name, open, files), configure);
    }

    /// <summary>Maps <c>POST {prefix}/{name}</c> for every model, as Hugging Face's inference endpoints have it.</summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="prefix">Where the names begin. Default: <c>/models</c>.</param>
    /// <returns>The endpoint, to ask for authorization or to limit its rate.</returns>
    public static IEndpointConventionBuilder MapVizsla(this IEndpointRouteBuilder endpoints, string prefix = "/models")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(prefix);
        return PredictionEndpoints.MapModels(endpoints, prefix);
    }

    internal static IServiceCollection AddVizslaModel(this IServiceCollection services, ModelEntry entry, Action<ServingOptions>? configure = null)
    {
        if (entry.Name.Length == 0 || entry.Name != ModelEntry.NameOf(entry.Name))
        {
            throw new ArgumentException($"'{entry.Name}' cannot be part of an address. Use letters, digits, '.', '-' and '_'.");
        }

        services.AddSingleton(entry);
        services.AddVizslaServing();
        services.AddKeyedSingleton<IImageClassifier>(entry.Name, (provider, _) => new ServedClassifier(provider.GetRequiredService<ModelCatalog>(), entry.Name));
        services.TryAddSingleton(provider => provider.GetRequiredKeyedService<IImageClassifier>(entry.Name));
        if (configure is not null)
        {
            services.AddSingleton(configure);
        }

        return services;
    }

    internal static IServiceCollection AddVizslaServing(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton<ServingMetrics>();
        services.TryAddSingleton(provider => new DecodeBudget(provider.GetRequiredService<ServingOptions>()));
        services.TryAddSingleton(provider =>
        {
            var options = new ServingOptions();
            foreach (var configure in provider.GetServices<Action<ServingOptions>>())
            {
                configure(options);
            }

            return options;
        });
        if (services.All(s => s.ServiceType != typeof(ModelCatalog)))
        {
            services.AddSingleton<ModelCatalog>();
            services.AddHostedService(provider => provider.GetRequiredService<ModelCatalog>());
            services.AddHealthChecks().AddCheck<ModelsHealthCheck>("vizsla");
        }

        return services;
    }
}
