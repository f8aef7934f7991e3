using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Vizsla.Studio.Pictures;
using Vizsla.Studio.Predictions;

namespace Vizsla.Studio;

/// <summary>Adds a model to an ASP.NET Core application.</summary>
public static class VizslaExtensions
{
    /// <summary>Loads a model when the application starts and lets it answer under a name.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="name">The model's name in addresses: letters, digits, '.', '-' and '_'.</param>
    /// <param name="nameOrFolder">A run folder, a timm folder, or a Hub name in the cache.</param>
    /// <param name="configure">Sizes of batches and limits, shared by all models; null keeps the defaults.</param>
    /// <returns>The services, for further calls; call once per model.</returns>
    /// <exception cref="ArgumentException">The name cannot stand in an address.</exception>
    public static IServiceCollection AddVizsla(this IServiceCollection services, string name, string nameOrFolder, Action<ServingOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(nameOrFolder);
        return services.AddVizslaModel(ModelEntry.OfFiles(new ServedModel(name, nameOrFolder)), configure);
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
            throw new ArgumentException($"'{entry.Name}' cannot stand in an address. Use letters, digits, '.', '-' and '_'.");
        }

        services.AddSingleton(entry);
        services.AddVizslaServing();
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
        }

        return services;
    }
}
