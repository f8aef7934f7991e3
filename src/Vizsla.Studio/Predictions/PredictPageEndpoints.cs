using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vizsla.Studio.Hosting;
using Vizsla.Studio.Pictures;

namespace Vizsla.Studio.Predictions;

/// <summary>Pictures that the page of predictions shows.</summary>
internal static class PredictPageEndpoints
{
    /// <summary>Maps <c>GET /predict/seen</c>, <c>GET /predict/looked</c> and <c>GET /predict/drawn</c>.</summary>
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/predict/seen", async (string model, string picture, PredictionRoom room, PictureStore pictures) =>
        {
            var queue = await room.OpenAsync(model).ConfigureAwait(false);
            using var seen = queue.Model.Seen(await pictures.DecodeAsync(picture).ConfigureAwait(false));
            return PictureEndpoints.Jpeg(seen, null);
        }).ExcludeFromDescription();
        endpoints.MapGet("/predict/looked", async (string model, string picture, int? label, PredictionRoom room, PictureStore pictures) =>
        {
            var queue = await room.OpenAsync(model).ConfigureAwait(false);
            return await LookedAsync(queue.Model, model, picture, label, pictures).ConfigureAwait(false);
        }).ExcludeFromDescription();
        endpoints.MapGet("/predict/drawn", (string animal) => Results.Bytes(PredictionRoom.Draw(animal), "image/jpeg")).ExcludeFromDescription();
    }

    // The map at full strength: how much of it shows is the page's own affair.
    private static async Task<IResult> LookedAsync(PictureModel model, string name, string picture, int? label, PictureStore pictures)
    {
        if (model.Method is null)
        {
            throw new RefusedException(StatusCodes.Status404NotFound, $"The model '{name}' does not tell where it looked.");
        }

        if (label < 0 || label >= model.Labels.Count)
        {
            throw new RefusedException(StatusCodes.Status400BadRequest, $"'label' must be 0 to {model.Labels.Count - 1}, got {label}.");
        }

        var image = await pictures.DecodeAsync(picture).ConfigureAwait(false);
        using var seen = model.Seen(image);
        using var over = model.Explain(image, label).Heat.Over(seen, 1);
        return PictureEndpoints.Jpeg(over, null);
    }
}
