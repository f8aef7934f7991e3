using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vizsla.Imaging;
using Vizsla.Serving;
using Vizsla.Studio.Runs;

namespace Vizsla.Studio.Evaluation;

/// <summary>A confusion matrix as a picture: one pixel a cell.</summary>
internal static class EvaluationEndpoints
{
    private const double Faintest = 0.25;

    /// <summary>Maps <c>GET /runs-confusion/{run}</c>.</summary>
    public static void Map(IEndpointRouteBuilder endpoints) => endpoints.MapGet("/runs-confusion/{**run}", (string run, RunLibrary runs, RunEvaluator evaluator) =>
    {
        if (runs.Find(run) is not { } found || evaluator.Look(found)?.Result is not { } evaluation)
        {
            throw new RefusedException(StatusCodes.Status404NotFound, "This run was not evaluated here.");
        }

        using var image = Draw(evaluation);
        using var memory = new MemoryStream();
        ImageCodec.SavePng(image, memory);
        return Results.Bytes(memory.ToArray(), "image/png");
    }).ExcludeFromDescription();

    /// <summary>Green on the diagonal, red beside it, the stronger the larger the share of the true class; white where nothing is.</summary>
    public static Image Draw(RunEvaluation evaluation)
    {
        var count = evaluation.Labels.Count;
        var image = new Image(count, count);
        for (var truth = 0; truth < count; truth++)
        {
            var row = image.Row(truth);
            row.Fill(255);
            var all = evaluation.Count(truth);
            for (var named = 0; named < count && all > 0; named++)
            {
                if (evaluation.Confusion[truth, named] is > 0 and var cell)
                {
                    var pale = (byte)(255 * (1 - Math.Max(Faintest, Math.Sqrt((double)cell / all))));
                    (row[3 * named], row[(3 * named) + 1], row[(3 * named) + 2]) = truth == named ? (pale, (byte)150, pale) : ((byte)215, pale, pale);
                }
            }
        }

        return image;
    }
}
