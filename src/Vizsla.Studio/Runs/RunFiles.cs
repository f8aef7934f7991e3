using System.Text.RegularExpressions;
using Markdig;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vizsla.Studio.Hosting;
using Vizsla.Studio.Pictures;

namespace Vizsla.Studio.Runs;

/// <summary>Plots and card of a run folder.</summary>
internal static class RunFiles
{
    private const string PlotFolder = "plots";

    private static readonly MarkdownPipeline Markdown = new MarkdownPipelineBuilder().UseYamlFrontMatter().UsePipeTables().UseAutoLinks().DisableHtml().Build();
    private static readonly Regex Comments = new("<!--.*?-->", RegexOptions.Singleline | RegexOptions.NonBacktracking);

    /// <summary>Maps <c>GET /runs-plots/{run}?file=</c>.</summary>
    public static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/runs-plots/{**run}", (string run, string file, RunLibrary runs) =>
        {
            var folder = runs.Find(run)?.Folder;
            var path = folder is null ? null : FolderGuard.Resolve(folder, $"{PlotFolder}/{file}");
            if (path is null || !File.Exists(path))
            {
                throw new RefusedException(StatusCodes.Status404NotFound, "There is no such plot.");
            }

            var data = File.ReadAllBytes(path);
            return PictureKind.MediaType(data) is { } type
                ? Results.Bytes(data, type)
                : throw new RefusedException(StatusCodes.Status415UnsupportedMediaType, "This file is no picture.");
        }).ExcludeFromDescription();

    /// <summary>Names of the plots in a run folder.</summary>
    public static IReadOnlyList<string> Plots(RunSnapshot run)
    {
        var folder = Path.Combine(run.Folder, PlotFolder);
        return Directory.Exists(folder)
            ? [.. Directory.EnumerateFiles(folder, "*.png").Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal)]
            : [];
    }

    /// <summary>The address of a plot.</summary>
    public static string PlotAddress(RunSnapshot run, string file) => $"/runs-plots/{run.Name}?file={Uri.EscapeDataString(file)}";

    /// <summary>The bytes of a plot.</summary>
    public static byte[] ReadPlot(RunSnapshot run, string file) => File.ReadAllBytes(Path.Combine(run.Folder, PlotFolder, file));

    /// <summary>The model card as HTML; null when there is none. Markup inside the card is shown as text.</summary>
    public static string? Card(RunSnapshot run)
    {
        var path = Path.Combine(run.Folder, "README.md");
        if (!File.Exists(path))
        {
            return null;
        }

        // A wide table scrolls by itself, by keyboard too, rather than widen the page.
        return Markdig.Markdown.ToHtml(Comments.Replace(File.ReadAllText(path), ""), Markdown)
            .Replace("<table>", """<div class="table-scroll" tabindex="0"><table>""", StringComparison.Ordinal)
            .Replace("</table>", "</table></div>", StringComparison.Ordinal);
    }
}
