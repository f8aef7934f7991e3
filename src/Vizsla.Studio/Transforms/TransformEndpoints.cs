using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Serving;
using Vizsla.Studio.Hosting;
using Vizsla.Studio.Pictures;
using Vizsla.Transforms;

namespace Vizsla.Studio.Transforms;

/// <summary>Pictures after a pipeline: everything that makes them is in the address.</summary>
internal sealed class TransformEndpoints : IDisposable
{
    // A transform may make a picture as large as its parameters ask.
    private const long MostPixels = 24_000_000;

    private readonly SemaphoreSlim _drawing = new(Environment.ProcessorCount);

    /// <summary>Maps <c>GET /transforms/picture</c>.</summary>
    public static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/transforms/picture", async (
            string picture, string pipeline, ulong seed, int? steps, int? crop, int? side, PictureStore pictures, TransformEndpoints self, HttpContext context) =>
            await self.DrawAsync(await pictures.DecodeAsync(picture).ConfigureAwait(false), pipeline, seed, steps, crop, side, context).ConfigureAwait(false)).ExcludeFromDescription();

    /// <summary>The address of a picture after a pipeline.</summary>
    /// <param name="picture">Its name in the store.</param>
    /// <param name="pipeline">JSON of the steps.</param>
    /// <param name="seed">Seeds the generator.</param>
    /// <param name="steps">How many steps to run; null runs all.</param>
    /// <param name="side">Longest side of a small copy; null gives the exact pixels.</param>
    /// <param name="crop">Which of several pictures, from 0; null shows all side by side.</param>
    public static string Address(string picture, string pipeline, ulong seed, int? steps = null, int? side = null, int? crop = null) =>
        $"/transforms/picture?picture={picture}&seed={seed}&pipeline={Uri.EscapeDataString(pipeline)}"
        + (steps is null ? "" : $"&steps={steps}") + (crop is null ? "" : $"&crop={crop}") + (side is null ? "" : $"&side={side}");

    public void Dispose() => _drawing.Dispose();

    private async Task<IResult> DrawAsync(Image image, string pipeline, ulong seed, int? steps, int? crop, int? side, HttpContext context)
    {
        // A browser that has moved on aborts its request: what waits here is dropped undrawn.
        await _drawing.WaitAsync(context.RequestAborted).ConfigureAwait(false);
        try
        {
            var all = Pipeline.FromJson(pipeline).Transforms;
            RefuseHuge(all, image);
            // A small copy loses more by its encoding than by roundings in another order.
            Blur.IsRough = side is not null;
            using var result = TransformRender.Draw([.. all.Take(steps ?? all.Count)], image, seed, crop);
            // Megabytes for each place of a slider would only push other files out of the browser's cache, which takes time.
            context.Response.Headers.CacheControl = side is null ? "no-store" : "private, max-age=600";
            return side is null ? new BmpResult(BmpWriter.Write(result)) : PictureEndpoints.Jpeg(result, side);
        }
        catch (ArgumentException e)
        {
            throw new RefusedException(StatusCodes.Status400BadRequest, ErrorSentence.Of(e));
        }
        finally
        {
            Blur.IsRough = false;
            _drawing.Release();
        }
    }

    private static void RefuseHuge(IReadOnlyList<Transform> steps, Image image)
    {
        (int Height, int Width)? size = (image.Height, image.Width);
        foreach (var step in steps)
        {
            size = step.SizeAfter(size);
            var asked = step switch
            {
                Pad { Padding: var p } when size is null => ((long)image.Height + p.Top + p.Bottom) * ((long)image.Width + p.Left + p.Right),
                _ => size is { } s ? (long)s.Height * s.Width : 0,
            };
            if (asked > MostPixels)
            {
                throw new RefusedException(StatusCodes.Status400BadRequest, Invariant($"{step.GetType().Name} would make a picture of {asked / 1e6:0.#} million pixels; the studio shows up to {MostPixels / 1e6:0} million."));
            }
        }
    }

    /// <summary>Sends a file and gives its buffer back.</summary>
    private sealed class BmpResult(PooledBytes file) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            using (file)
            {
                httpContext.Response.ContentType = "image/bmp";
                httpContext.Response.ContentLength = file.Memory.Length;
                await httpContext.Response.Body.WriteAsync(file.Memory, httpContext.RequestAborted).ConfigureAwait(false);
            }
        }
    }
}
