using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Vizsla.Imaging;
using Vizsla.Serving;
using Vizsla.Serving.Api;
using Vizsla.Studio.Hosting;
using Vizsla.Studio.Labeling;
using Vizsla.Studio.Pictures;

namespace Vizsla.Studio;

/// <summary>The page on which photos are labelled by keyboard.</summary>
internal static class LabelApplication
{
    private sealed record Labelled(int Id, string? Label);

    /// <summary>Builds the application; it does not listen until it is started.</summary>
    /// <param name="session">Photos and labels; stays the caller's.</param>
    /// <param name="host">Where to listen and whom to answer.</param>
    /// <returns>An application that the caller runs and disposes.</returns>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static WebApplication Create(LabelSession session, HostOptions host)
    {
        var builder = ServerSetup.CreateBuilder(host, new ServingOptions());
        ServeApplication.AddService(builder.Services, Array.Empty<Serving.Queues.ModelEntry>(), new ServingOptions());
        builder.Services.AddSingleton(session);

        var application = builder.Build();
        ServerSetup.UseSafety(application);
        application.UseStatusCodePages(context => ErrorAnswers.ExplainStatusAsync(context.HttpContext));
        application.UseRouting();
        application.MapGet("/", () => Results.Redirect("/_content/Vizsla.Studio/label.html"));
        application.MapGet("/label/state", (LabelSession photos) => photos.State());
        application.MapPost("/label/answer", (Labelled answer, LabelSession photos) => photos.Answer(answer.Id, answer.Label));
        application.MapPost("/label/undo", (LabelSession photos) => photos.Undo());
        application.MapGet("/label/photo", (int id, LabelSession photos) =>
        {
            try
            {
                using var image = ImageCodec.Load(photos.FileOf(id));
                return PictureEndpoints.Jpeg(image, side: null);
            }
            catch (ImageFormatException e)
            {
                throw new RefusedException(StatusCodes.Status422UnprocessableEntity, $"The photo cannot be read: {e.Reason.TrimEnd('.')}.");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new RefusedException(StatusCodes.Status404NotFound, "The photo's file cannot be read.");
            }
        });
        EmbeddedAssets.Map(application);
        return application;
    }
}
