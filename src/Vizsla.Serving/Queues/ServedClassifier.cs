using Microsoft.Extensions.Diagnostics.HealthChecks;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Serving.Pictures;

namespace Vizsla.Serving.Queues;

/// <summary>A served model for handlers of the application: what they ask goes through the queue of its requests.</summary>
/// <param name="catalog">Owns the model.</param>
/// <param name="name">The model's name.</param>
internal sealed class ServedClassifier(ModelCatalog catalog, string name) : IImageClassifier
{
    /// <inheritdoc/>
    public IReadOnlyList<string> Labels
    {
        get
        {
            catalog.Opened.GetAwaiter().GetResult();
            return catalog.Get(name).Model.Labels;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<Prediction> Predict(Image image, int topK = 5)
    {
        ArgumentNullException.ThrowIfNull(image);
        return PredictAsync(image, topK, CancellationToken.None).GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    public IReadOnlyList<IReadOnlyList<Prediction>> Predict(IReadOnlyList<Image> images, int topK = 5, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        return Task.WhenAll(images.Select(image => PredictAsync(image, topK, cancellationToken))).GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Prediction>> PredictAsync(Stream stream, int topK = 5, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentOutOfRangeException.ThrowIfLessThan(topK, 1);
        var data = await PictureGuard.ReadAsync(stream, catalog.Options.MaxPictureBytes, cancellationToken).ConfigureAwait(false);
        await catalog.Opened.WaitAsync(cancellationToken).ConfigureAwait(false);
        return await catalog.PredictAsync(name, data, topK, function: null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Does nothing: the model is the application's.</summary>
    public void Dispose()
    {
    }

    private async Task<IReadOnlyList<Prediction>> PredictAsync(Image image, int topK, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(topK, 1);
        await catalog.Opened.WaitAsync(cancellationToken).ConfigureAwait(false);
        return await catalog.PredictAsync(name, image, topK, cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>Whether every model can answer.</summary>
internal sealed class ModelsHealthCheck(ModelCatalog catalog) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        catalog.IsReady ? HealthCheckResult.Healthy()
        : catalog.Loaded.IsFaulted ? HealthCheckResult.Unhealthy("A model cannot be loaded.", catalog.Loaded.Exception!.InnerException)
        : new HealthCheckResult(context.Registration.FailureStatus, "The models are being loaded, or the application is stopping."));
}
