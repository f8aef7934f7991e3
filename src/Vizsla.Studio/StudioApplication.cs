using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MudBlazor.Services;
using Vizsla.Serving.Api;
using Vizsla.Serving.Queues;
using Vizsla.Studio.Datasets;
using Vizsla.Studio.Evaluation;
using Vizsla.Studio.Hosting;
using Vizsla.Studio.Layout;
using Vizsla.Studio.Pictures;
using Vizsla.Studio.Predictions;
using Vizsla.Studio.Reports;
using Vizsla.Studio.Runs;
using Vizsla.Studio.Trainings;
using Vizsla.Studio.Transforms;

namespace Vizsla.Studio;

/// <summary>The pages and, beside them, the models as a service.</summary>
internal static class StudioApplication
{
    /// <summary>Builds the application; it does not listen until it is started.</summary>
    /// <param name="options">What to show and where to listen.</param>
    /// <returns>An application that the caller runs and disposes.</returns>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="DirectoryNotFoundException">The folder of runs or the dataset's folder does not exist.</exception>
    public static WebApplication Create(StudioOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        CheckFolder(options.Runs, "runs");
        CheckFolder(options.Dataset, "dataset");
        var builder = ServerSetup.CreateBuilder(options.Host, options.Serving);
        var services = builder.Services;
        ServeApplication.AddService(services, options.Models.Select(m => ServedModels.Entry(options.Serve(ModelEntry.NameOf(m), m))), options.Serving);
        services.AddSingleton(options);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<RunLibrary>();
        services.AddSingleton<RunShelf>();
        services.AddSingleton<TrainingQueue>();
        services.AddHostedService(provider => provider.GetRequiredService<TrainingQueue>());
        services.AddSingleton<PictureStore>();
        services.AddSingleton<DatasetLibrary>();
        services.AddSingleton<DatasetShelf>();
        services.AddSingleton<DatasetReview>();
        services.AddSingleton<DatasetChecks>();
        services.AddSingleton<RunEvaluator>();
        services.AddSingleton<PredictionRoom>();
        services.AddSingleton<PredictionBatches>();
        services.AddSingleton(new PictureDownload(options.Serving));
        services.AddSingleton<PipelineStarts>();
        services.AddSingleton<TransformEndpoints>();
        services.AddScoped<Browser>();
        services.AddRazorComponents().AddInteractiveServerComponents();
        services.AddMudServices();
        MemoryKeys.Use(services);
        // A browser comes with the cookie of an earlier process, and gets another.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Antiforgery", LogLevel.None);

        var application = builder.Build();
        ServerSetup.UseSafety(application);
        application.UseStatusCodePagesWithReExecute("/not-found");
        application.UseWhen(
            context => context.Request.Path.StartsWithSegments("/models") || context.Request.Path.StartsWithSegments("/api"),
            service => service.UseStatusCodePages(context => ErrorAnswers.ExplainStatusAsync(context.HttpContext)));
        application.UseRouting();
        AbsentRuns.Use(application);
        application.UseAntiforgery();
        ServeApplication.MapService(application);
        PictureEndpoints.Map(application);
        DatasetEndpoints.Map(application);
        TransformEndpoints.Map(application);
        PredictPageEndpoints.Map(application);
        RunFiles.Map(application);
        EvaluationEndpoints.Map(application);
        EvaluationLooks.Map(application);
        AbsentRuns.MapReport(application);
        EmbeddedAssets.Map(application);
        application.MapRazorComponents<App>().AddInteractiveServerRenderMode(mode => mode.ContentSecurityFrameAncestorsPolicy = null);
        application.Lifetime.ApplicationStarted.Register(() =>
            new Thread(application.Services.GetRequiredService<RunLibrary>().Warm) { IsBackground = true, Name = "vizsla runs" }.Start());
        return application;
    }

    private static void CheckFolder(string? folder, string option)
    {
        if (folder is not null && !Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"The folder '{folder}' of --{option} does not exist.");
        }
    }
}
