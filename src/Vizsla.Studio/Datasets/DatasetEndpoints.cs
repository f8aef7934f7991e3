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
    /// <summary>Maps <c>GET /data/picture</c>, and <c>GET /data/open</c>, which leads to a page that shows the picture.</summary>
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/data/picture", (string split, int row, int? side, string? run, DatasetLibrary datasets, RunLibrary runs) =>
        {
            var rows = Rows(split, row, run, datasets, runs);
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
        endpoints.MapGet("/data/open", async (string page, string split, int row, string? run, DatasetLibrary datasets, RunLibrary runs, PictureStore pictures) =>
        {
            var id = await KeepAsync(split, row, run, datasets, runs, pictures).ConfigureAwait(false);
            return page switch
            {
                "predict" => Results.Redirect($"/predict?picture={id}{(run is null ? "" : $"&model={Uri.EscapeDataString(run)}")}"),
                "transforms" => Results.Redirect($"/transforms?picture={id}"),
                _ => throw new RefusedException(StatusCodes.Status400BadRequest, "'page' must be predict or transforms."),
            };
        }).ExcludeFromDescription();
    }

    /// <summary>Puts a picture of a dataset among the uploaded ones.</summary>
    /// <returns>Its name there.</returns>
    /// <exception cref="RefusedException">There is no such picture, or it cannot be read.</exception>
    public static async Task<string> KeepAsync(string split, int row, string? run, DatasetLibrary datasets, RunLibrary runs, PictureStore pictures)
    {
        try
        {
            return await pictures.AddAsync(Rows(split, row, run, datasets, runs)[row].ReadBytes().ToArray(), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DatasetException)
        {
            throw new RefusedException(StatusCodes.Status404NotFound, "The dataset's file cannot be read.");
        }
    }

    /// <summary>The address of a picture of the given dataset.</summary>
    /// <param name="photo">The picture.</param>
    /// <param name="side">Longest side in pixels.</param>
    /// <param name="version">Version of the dataset: rows move when pictures come and go.</param>
    public static string Given(DatasetPhoto photo, int side, int version) => $"{Address(photo.Split, photo.Row, side)}&v={version}";

    /// <summary>The address that leads to a page which shows a picture.</summary>
    /// <param name="page"><c>predict</c> or <c>transforms</c>.</param>
    /// <param name="split">Its split.</param>
    /// <param name="row">Its row there.</param>
    /// <param name="run">The run whose dataset it is; null for the one given.</param>
    public static string OpenAddress(string page, string split, int row, string? run = null) =>
        $"/data/open?page={page}&split={Uri.EscapeDataString(split)}&row={row}{(run is null ? "" : $"&run={Uri.EscapeDataString(run)}")}";

    private static ImageDataset Rows(string split, int row, string? run, DatasetLibrary datasets, RunLibrary runs)
    {
        var dataset = run is null ? datasets.Given : runs.Find(run) is { } found ? datasets.OfRun(found) : null;
        return dataset is not null && dataset.TryGetValue(split, out var rows) && row >= 0 && row < rows.Count
            ? rows
            : throw new RefusedException(StatusCodes.Status404NotFound, "There is no such picture.");
    }

    /// <summary>The address of a picture.</summary>
    /// <param name="split">Its split.</param>
    /// <param name="row">Its row there.</param>
    /// <param name="side">Longest side in pixels.</param>
    /// <param name="run">The run whose dataset it is; null for the one given.</param>
    public static string Address(string split, int row, int side, string? run = null) =>
        $"/data/picture?split={Uri.EscapeDataString(split)}&row={row}&side={side}{(run is null ? "" : $"&run={Uri.EscapeDataString(run)}")}";
}
