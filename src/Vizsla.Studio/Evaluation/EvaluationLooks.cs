using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vizsla.Datasets;
using Vizsla.Serving;
using Vizsla.Studio.Datasets;
using Vizsla.Studio.Pictures;
using Vizsla.Studio.Predictions;
using Vizsla.Studio.Runs;

namespace Vizsla.Studio.Evaluation;

/// <summary>A picture of a run's data as its model saw it, and where it looked.</summary>
internal static class EvaluationLooks
{
    private const string Looked = "/runs-looked";
    private const string Seen = "/runs-seen";

    /// <summary>Maps <c>GET /runs-looked</c> and <c>GET /runs-seen</c>.</summary>
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet(Looked, (string run, string split, int row, RunLibrary runs, DatasetLibrary datasets, PictureStore pictures) =>
            LeadAsync(run, split, row, id => PredictionRoom.LookedAddress(run, id, null), runs, datasets, pictures)).ExcludeFromDescription();
        endpoints.MapGet(Seen, (string run, string split, int row, RunLibrary runs, DatasetLibrary datasets, PictureStore pictures) =>
            LeadAsync(run, split, row, id => PredictionRoom.SeenAddress(run, id), runs, datasets, pictures)).ExcludeFromDescription();
    }

    /// <summary>The address of the picture as the model saw it.</summary>
    public static string SeenAddress(string run, string split, int row) => Address(Seen, run, split, row);

    /// <summary>The address of the map of where it looked.</summary>
    public static string LookedAddress(string run, string split, int row) => Address(Looked, run, split, row);

    private static async Task<IResult> LeadAsync(string run, string split, int row, Func<string, string> address, RunLibrary runs, DatasetLibrary datasets, PictureStore pictures)
    {
        if (runs.Find(run) is null)
        {
            throw new RefusedException(StatusCodes.Status404NotFound, "There is no such run.");
        }

        return Results.Redirect(address(await DatasetEndpoints.KeepAsync(split, row, run, datasets, runs, pictures).ConfigureAwait(false)));
    }

    private static string Address(string path, string run, string split, int row) =>
        $"{path}?run={Uri.EscapeDataString(run)}&split={Uri.EscapeDataString(split)}&row={row.ToString(System.Globalization.CultureInfo.InvariantCulture)}";
}
