using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Vizsla.Datasets;
using Vizsla.Serving;
using Vizsla.Studio.Datasets;
using Vizsla.Studio.Evaluation;
using Vizsla.Studio.Runs;

namespace Vizsla.Studio.Reports;

/// <summary>The page of a run that is not there says so with its status too: pages begin to draw only when the browser has connected.</summary>
internal static class AbsentRuns
{
    /// <summary>Maps <c>GET /runs-report/{run}</c>: the page of a run as one file, with what its model was asked so far.</summary>
    public static void MapReport(IEndpointRouteBuilder endpoints) => endpoints.MapGet("/runs-report/{**run}", (string run, RunLibrary runs, RunEvaluator evaluator, DatasetLibrary datasets) =>
    {
        var found = runs.Find(run) ?? throw new RefusedException(StatusCodes.Status404NotFound, "There is no such run.");
        try
        {
            var html = RunReport.Write(found, found.HasModel ? evaluator.Look(found)?.Result : null, datasets);
            return Results.File(System.Text.Encoding.UTF8.GetBytes(html), "text/html; charset=utf-8", $"{run.Replace('/', '-')}.html");
        }
        catch (Exception e) when (e is DatasetException or IOException or Imaging.ImageFormatException)
        {
            throw new RefusedException(StatusCodes.Status409Conflict, "The pictures of the run's dataset cannot be read; ask the model again.");
        }
    }).ExcludeFromDescription();

    /// <summary>Sets 404 on the pages of runs that are not below the folder of runs.</summary>
    public static void Use(IApplicationBuilder application) => application.Use((context, next) =>
    {
        if (context.GetEndpoint() is RouteEndpoint { RoutePattern.RawText: "/runs/{*Name}" } && context.GetRouteValue(nameof(RunPage.Name)) is string name
            && context.RequestServices.GetRequiredService<RunLibrary>().Find(name) is null)
        {
            context.Response.OnStarting(() =>
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            });
        }

        return next(context);
    });
}
