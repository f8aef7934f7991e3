using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Studio.Hosting;
using Vizsla.Studio.Pictures;

namespace Vizsla.Studio.Predictions;

/// <summary>Pictures that the page of predictions shows.</summary>
internal static class PredictPageEndpoints
{
    /// <summary>Maps <c>GET /predict/seen</c> and <c>GET /predict/drawn</c>.</summary>
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/predict/seen", async (string model, string picture, PredictionRoom room, PictureStore pictures) =>
        {
            var queue = await room.OpenAsync(model).ConfigureAwait(false);
            return queue.Model is ClassifierModel classifier ? Seen(classifier, pictures.Decode(picture)) : Results.NotFound();
        }).ExcludeFromDescription();
        endpoints.MapGet("/predict/drawn", (string animal) => Results.Bytes(PredictionRoom.Draw(animal), "image/jpeg")).ExcludeFromDescription();
    }

    private static IResult Seen(ClassifierModel model, Image image)
    {
        var seen = model.Pipeline.Apply(image, new Rng(0));
        try
        {
            return PictureEndpoints.Jpeg(seen, null);
        }
        finally
        {
            if (!ReferenceEquals(seen, image))
            {
                seen.Dispose();
            }
        }
    }
}
