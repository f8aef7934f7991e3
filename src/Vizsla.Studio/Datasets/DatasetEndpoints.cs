using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vizsla.Datasets;
using Vizsla.Imaging;
using Vizsla.Serving;
using Vizsla.Studio.Hosting;
using Vizsla.Studio.Pictures;
using Vizsla.Studio.Runs;

namespace Vizsla.Studio.Datasets;

/// <summary>Pictures of datasets by split and row: no part of a path is in the address.</summary>
internal static class DatasetEndpoints
{
    /// <summary>Maps <c>GET /data/picture</c>.</summary>
    public static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/data/picture", (string split, int row, int? side, string? run, DatasetLibrary datasets, RunLibrary runs) =>
        {
            var dataset = run is null ? datasets.Given : runs.Find(run) is { } found ? datasets.OfRun(found) : null;
            if (dataset is null || !dataset.TryGetValue(split, out var rows) || row < 0 || row >= rows.Count)
            {
                throw new RefusedException(StatusCodes.Status404NotFound, "There is no such picture.");
            }

            try
            {
                using var image = rows.LoadImage(row);
                return PictureEndpoints.Jpeg(image, side);
            }
            catch (ImageFormatException e)
            {
                throw new RefusedException(StatusCodes.Status422UnprocessableEntity, $"The picture cannot be read: {e.Reason.TrimEnd('.')}.");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or DatasetException)
            {
                throw new RefusedException(StatusCodes.Status404NotFound, "The dataset's file cannot be read.");
            }
        }).ExcludeFromDescription();

    /// <summary>The address of a picture.</summary>
    /// <param name="split">Its split.</param>
    /// <param name="row">Its row there.</param>
    /// <param name="side">Longest side in pixels.</param>
    /// <param name="run">The run whose dataset it is; null for the one given.</param>
    public static string Address(string split, int row, int side, string? run = null) =>
        $"/data/picture?split={Uri.EscapeDataString(split)}&row={row}&side={side}{(run is null ? "" : $"&run={Uri.EscapeDataString(run)}")}";
}
