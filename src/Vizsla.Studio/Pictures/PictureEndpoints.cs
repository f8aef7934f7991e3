using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vizsla.Imaging;
using Vizsla.Serving;
using Vizsla.Serving.Pictures;
using Vizsla.Studio.Hosting;

namespace Vizsla.Studio.Pictures;

/// <summary>Uploads, and pictures for the pages; bytes that came from outside never go out again as they are.</summary>
internal static class PictureEndpoints
{
    private const int DisplaySide = 1600;
    private const int JpegQuality = 90;

    /// <summary>Maps <c>POST /pictures</c> and <c>GET /pictures/{id}</c>.</summary>
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPost("/pictures", async (HttpContext context, PictureStore store, ServingOptions options) =>
        {
            var data = await PictureGuard.ReadAsync(context.Request.Body, options.MaxPictureBytes, context.RequestAborted).ConfigureAwait(false);
            return Results.Json(new { id = await store.AddAsync(data, context.RequestAborted).ConfigureAwait(false) });
        }).DisableAntiforgery().ExcludeFromDescription();

        endpoints.MapGet("/pictures/{id}", async (string id, PictureStore store, int? side) => Jpeg(await store.DecodeAsync(id).ConfigureAwait(false), side)).ExcludeFromDescription();
    }

    /// <summary>Answers with a JPEG no larger than a side.</summary>
    /// <param name="image">Not disposed.</param>
    /// <param name="side">Longest side in pixels; null is as large as a screen shows.</param>
    public static IResult Jpeg(Image image, int? side)
    {
        using var small = Fit(image, Math.Clamp(side ?? DisplaySide, 16, DisplaySide));
        using var memory = new MemoryStream();
        ImageCodec.SaveJpeg(small ?? image, memory, JpegQuality);
        return Results.Bytes(memory.ToArray(), "image/jpeg");
    }

    /// <summary>A smaller copy, or null when the picture fits.</summary>
    public static Image? Fit(Image image, int side)
    {
        var longest = Math.Max(image.Width, image.Height);
        if (longest <= side)
        {
            return null;
        }

        var scale = (double)side / longest;
        return Resampler.Resize(
            image, Math.Max(1, (int)Math.Round(image.Width * scale)), Math.Max(1, (int)Math.Round(image.Height * scale)), Interpolation.Bilinear);
    }
}
