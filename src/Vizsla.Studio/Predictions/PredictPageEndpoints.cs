using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Onnx;
using Vizsla.Primitives;
using Vizsla.Serving;
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
            using var seen = Seen(queue.Model, await pictures.DecodeAsync(picture).ConfigureAwait(false));
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
    private static async Task<IResult> LookedAsync(IBatchClassifier model, string name, string picture, int? label, PictureStore pictures)
    {
        if (model is not ClassifierModel explained)
        {
            throw new RefusedException(StatusCodes.Status404NotFound, $"The model '{name}' does not tell where it looked.");
        }

        if (label < 0 || label >= model.Labels.Count)
        {
            throw new RefusedException(StatusCodes.Status400BadRequest, Invariant($"'label' must be 0 to {model.Labels.Count - 1}, got {label}."));
        }

        var image = await pictures.DecodeAsync(picture).ConfigureAwait(false);
        using var seen = Seen(model, image);
        using var over = explained.Explain(image, label).Heat.Over(seen, 1);
        return PictureEndpoints.Jpeg(over, null);
    }

    // The picture before its pixels become floats.
    private static Image Seen(IBatchClassifier model, Image image)
    {
        var pipeline = model switch
        {
            ClassifierModel network => network.Pipeline,
            OnnxClassifier exported => exported.Processor?.ToPipeline(),
            _ => null,
        };
        var seen = pipeline?.Apply(image, new Rng(0)) ?? image;
        return ReferenceEquals(seen, image) ? image.Clone() : seen;
    }
}
