using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using Vizsla.Serving.Queues;
using Vizsla.Serving.Pictures;

namespace Vizsla.Serving.Api;

/// <summary>The models as addresses.</summary>
internal static class PredictionEndpoints
{
    private const int DefaultTopK = 5;

    /// <summary><c>POST {prefix}/{name}</c> as Hugging Face's inference endpoints have it.</summary>
    public static RouteHandlerBuilder MapModels(IEndpointRouteBuilder endpoints, string prefix) =>
        endpoints.MapPost(prefix.TrimEnd('/') + "/{name}", PostModelAsync)
            .AddEndpointFilter(AnswerErrorsAsync)
            .DisableAntiforgery()
            .WithMetadata(new RequestLimit())
            .WithName("ClassifyPicture")
            .WithSummary("The most likely classes of one picture")
            .WithDescription("The body is the picture itself, or JSON {\"inputs\": BASE64, \"parameters\": {\"top_k\": 3, \"function_to_apply\": \"softmax\"}}.")
            // curl calls what it sends a form unless told otherwise: whatever the header says, the content decides.
            .Accepts<byte[]>("application/octet-stream", "image/jpeg", "image/png", "application/json", "*/*")
            .Produces<IReadOnlyList<LabelScore>>()
            .Produces<ErrorAnswer>(StatusCodes.Status400BadRequest)
            .Produces<ErrorAnswer>(StatusCodes.Status404NotFound)
            .Produces<ErrorAnswer>(StatusCodes.Status413PayloadTooLarge)
            .Produces<ErrorAnswer>(StatusCodes.Status415UnsupportedMediaType)
            .Produces<ErrorAnswer>(StatusCodes.Status429TooManyRequests)
            .Produces<ErrorAnswer>(StatusCodes.Status503ServiceUnavailable);

    /// <summary>The rest of the service: many files, the list of models, health.</summary>
    public static void MapService(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPost("/api/predict", PostFilesAsync)
            .AddEndpointFilter(AnswerErrorsAsync)
            .DisableAntiforgery()
            .WithMetadata(new RequestLimit())
            .WithName("ClassifyFiles")
            .WithSummary("The most likely classes of one or many files")
            .WithDescription("A multipart form with one or many files; 'model' in the query chooses among several models, 'top_k' the number of classes.")
            .Accepts<IFormFileCollection>("multipart/form-data")
            .Produces<IReadOnlyList<FileAnswer>>()
            .Produces<ErrorAnswer>(StatusCodes.Status400BadRequest)
            .Produces<ErrorAnswer>(StatusCodes.Status429TooManyRequests);
        endpoints.MapGet("/api/models", (ModelCatalog catalog) => catalog.Names.Select(n => Describe(catalog, n)))
            .WithName("ListModels").WithSummary("The models that are served here")
            .Produces<IReadOnlyList<ModelDescription>>();
        endpoints.MapGet("/healthz", () => Results.Text("ok"))
            .WithName("Health").WithSummary("Whether the server is running");
        endpoints.MapGet("/readyz", (ModelCatalog catalog) => catalog.IsReady
                ? Results.Text("ready")
                : Results.Text("not ready", statusCode: StatusCodes.Status503ServiceUnavailable))
            .WithName("Readiness").WithSummary("Whether every model is ready");
    }

    private static async Task<IResult> PostModelAsync(string name, HttpContext context, ModelCatalog catalog, int? top_k = null)
    {
        catalog.Get(name);
        CheckTopK(top_k);
        var request = await InferenceRequest.ReadAsync(context.Request, catalog.Options, context.RequestAborted).ConfigureAwait(false);
        return Results.Json(LabelScore.Of(await catalog
            .PredictAsync(name, request.Picture, request.TopK ?? top_k ?? DefaultTopK, request.Function, context.RequestAborted).ConfigureAwait(false)), AnswerJson.Plain.IReadOnlyListLabelScore);
    }

    private static async Task<IResult> PostFilesAsync(HttpContext context, ModelCatalog catalog, string? model = null, int top_k = DefaultTopK)
    {
        var name = model ?? catalog.Names.FirstOrDefault() ?? throw new RefusedException(StatusCodes.Status404NotFound, "No model is served here.");
        catalog.Get(name);
        CheckTopK(top_k);
        if (MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) is false || !type!.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(type.Boundary) is not { Length: > 0 and <= 200 } boundary)
        {
            throw new RefusedException(StatusCodes.Status400BadRequest, "Send a multipart form with one or many files.");
        }

        var answers = new List<Task<FileAnswer>>();
        await foreach (var (file, data) in FormFiles.ReadAsync(context.Request.Body, boundary.ToString(), catalog.Options, context.RequestAborted).ConfigureAwait(false))
        {
            answers.Add(AnswerFileAsync(file, data, name, top_k, catalog, context.RequestAborted));
        }

        return answers.Count > 0
            ? Results.Json(await Task.WhenAll(answers).ConfigureAwait(false), AnswerJson.Plain.FileAnswerArray)
            : throw new RefusedException(StatusCodes.Status400BadRequest, $"Send 1 to {catalog.Options.MaxPicturesPerRequest} files in one request, got 0.");
    }

    private static void CheckTopK(int? topK)
    {
        if (topK < 1)
        {
            throw new RefusedException(StatusCodes.Status400BadRequest, Invariant($"'top_k' must be at least 1, got {topK}."));
        }
    }

    private static async Task<FileAnswer> AnswerFileAsync(
        string file, byte[]? data, string name, int topK, ModelCatalog catalog, CancellationToken cancellationToken)
    {
        try
        {
            return data is null ? throw PictureGuard.TooLarge(catalog.Options.MaxPictureBytes)
                : data.Length == 0 ? throw new RefusedException(StatusCodes.Status400BadRequest, "The request holds no picture.")
                : new(file, LabelScore.Of(await catalog.PredictAsync(name, data, topK, null, cancellationToken).ConfigureAwait(false)), null);
        }
        catch (RefusedException e) when (e.RetryAfter is null)
        {
            return new(file, null, e.Message);
        }
    }

    private static ModelDescription Describe(ModelCatalog catalog, string name) =>
        catalog.TryGet(name, out var queue) ? new(name, true, queue.Model.Labels, queue.Waiting) : new(name, false, [], 0);

    // In an application of somebody else's there is no middleware of ours: the endpoints answer for themselves.
    private static async ValueTask<object?> AnswerErrorsAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        try
        {
            return await next(context).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            return Results.Empty;
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            var logger = http.RequestServices.GetRequiredService<ILogger<ModelCatalog>>();
            await ErrorAnswers.AnswerAsync(http, e, logger).ConfigureAwait(false);
            return Results.Empty;
        }
    }

    // The limit is enforced while reading, with a sentence; the server's own limit only must not come first.
    private sealed class RequestLimit : IRequestSizeLimitMetadata
    {
        public long? MaxRequestBodySize => null;
    }
}
