using Microsoft.Extensions.DependencyInjection;
using Vizsla.Serving;
using Vizsla.Studio.Predictions;

namespace Vizsla.Studio;

/// <summary>Adds a model in files to an ASP.NET Core application.</summary>
public static class StudioExtensions
{
    /// <summary>
    /// Loads a model when the application starts and lets it answer under a name, as <see cref="ServingExtensions.AddVizslaClassifier"/> does; it is loaded anew when its files are replaced.
    /// What computes it is chosen as by <see cref="InferenceEngine.Auto"/>.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="name">The model's name in addresses: letters, digits, '.', '-' and '_'.</param>
    /// <param name="nameOrFolder">A run folder, a timm folder, or a Hub name in the cache.</param>
    /// <param name="configure">Sizes of batches and limits, shared by all models; null keeps the defaults.</param>
    /// <returns>The services, for further calls; call once per model.</returns>
    /// <exception cref="ArgumentException">The name cannot be part of an address.</exception>
    public static IServiceCollection AddVizsla(this IServiceCollection services, string name, string nameOrFolder, Action<ServingOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(nameOrFolder);
        return services.AddVizslaModel(ServedModels.Entry(new ServedModel(name, nameOrFolder)), configure);
    }
}
