using System.Text.RegularExpressions;
using Markdig;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vizsla.Hub.Cards;
using Vizsla.Serving;
using Vizsla.Serving.Pictures;
using Vizsla.Studio.Hosting;
using Vizsla.Studio.Pictures;

namespace Vizsla.Studio.Runs;

/// <summary>Plots and card of a run folder.</summary>
internal static class RunFiles
{
    private const string PlotFolder = "plots";

    private static readonly string[] Schemes = ["https://", "http://", "mailto:"];

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
                : throw new RefusedException(StatusCodes.Status415UnsupportedMediaType, "This file is not a picture.");
        }).ExcludeFromDescription();

    /// <summary>Names of the plots in a run folder.</summary>
    public static IReadOnlyList<string> Plots(RunSnapshot run)
    {
        var folder = Path.Combine(run.Folder, PlotFolder);
        return Directory.Exists(folder)
            ? [.. Directory.EnumerateFiles(folder, "*.png").Select(Path.GetFileName).OfType<string>().Where(name => FolderGuard.Resolve(run.Folder, $"{PlotFolder}/{name}") is not null).Order(StringComparer.Ordinal)]
            : [];
    }

    /// <summary>The address of a plot.</summary>
    public static string PlotAddress(RunSnapshot run, string file) => $"/runs-plots/{run.Name}?file={Uri.EscapeDataString(file)}";

    /// <summary>The bytes of a plot.</summary>
    public static byte[] ReadPlot(RunSnapshot run, string file) => File.ReadAllBytes(Path.Combine(run.Folder, PlotFolder, file));

    /// <summary>The model card as HTML; null when there is none inside the folder. Markup inside the card is shown as text, and links lead to the web or inside the page alone.</summary>
    public static string? Card(RunSnapshot run)
    {
        if (FolderGuard.Resolve(run.Folder, "README.md") is not { } path || !File.Exists(path) || new FileInfo(path).Length > CardText.Longest)
        {
            return null;
        }

        var text = Comments.Replace(File.ReadAllText(path), "");
        return CardText.IsCheap(text) ? Html(text) : Plain(text);
    }

    private static string Html(string text)
    {
        MarkdownDocument document;
        try
        {
            document = Markdig.Markdown.Parse(text, Markdown);
        }
        catch (ArgumentException)
        {
            // Quotes and lists that are nested too deeply.
            return Plain(text);
        }

        foreach (var link in document.Descendants<LinkInline>().Where(l => !IsSafe(l.Url)))
        {
            link.Url = "";
        }

        foreach (var link in document.Descendants<AutolinkInline>().Where(l => !l.IsEmail && !IsSafe(l.Url)))
        {
            link.Url = "";
        }

        // A wide table scrolls by itself, by keyboard too, rather than widen the page.
        return document.ToHtml(Markdown)
            .Replace("<table>", """<div class="table-scroll" tabindex="0"><table>""", StringComparison.Ordinal)
            .Replace("</table>", "</table></div>", StringComparison.Ordinal);
    }

    private static bool IsSafe(string? url) => url is { Length: > 0 } && (url[0] == '#' || Schemes.Any(s => url.StartsWith(s, StringComparison.OrdinalIgnoreCase)));

    private static string Plain(string text) => $"<pre>{System.Net.WebUtility.HtmlEncode(text)}</pre>";
}
