using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Vizsla.Studio.Runs;

namespace Vizsla.Studio.Reports;

/// <summary>The page of a run that is not there says so with its status too: pages begin to draw only when the browser has connected.</summary>
internal static class AbsentRuns
{
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
