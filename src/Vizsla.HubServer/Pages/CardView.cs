using System.Text;
using Markdig;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using Vizsla.Hub.Cards;

namespace Vizsla.HubServer.Pages;

/// <summary>A card's text as HTML: raw HTML is shown, not run; links lead to the web or to the repository's own files.</summary>
internal static class CardView
{
    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder().DisableHtml().UsePipeTables().UseAutoLinks().UseEmphasisExtras().Build();

    /// <summary>Renders.</summary>
    /// <param name="content">The whole README.md.</param>
    /// <param name="filesAddress">What the addresses of the repository's files begin with.</param>
    /// <returns>The metadata as YAML, null when there is none or it cannot be read; and the text as HTML.</returns>
    public static (string? Metadata, string Html) Render(string content, string filesAddress)
    {
        string? metadata;
        var text = content;
        try
        {
            var card = RepoCard.Parse(content);
            metadata = card.Metadata.Count > 0 ? YamlWriter.Write(card.Metadata) : null;
            text = card.Text;
        }
        catch (YamlException)
        {
            // Shown as it is, metadata and all.
            metadata = null;
        }

        return (metadata, CardText.IsCheap(text) ? Html(text, filesAddress) : Plain(text));
    }

    private static string Html(string text, string filesAddress)
    {
        MarkdownDocument document;
        try
        {
            document = Markdown.Parse(WithoutComments(text), Pipeline);
        }
        catch (ArgumentException)
        {
            // Quotes and lists that are nested too deeply.
            return Plain(text);
        }

        foreach (var link in document.Descendants<LinkInline>())
        {
            link.Url = Address(link.Url, filesAddress);
            if (!link.IsImage)
            {
                link.GetAttributes().AddPropertyIfNotExist("rel", "nofollow noopener");
            }
        }

        foreach (var link in document.Descendants<AutolinkInline>().Where(l => !l.IsEmail && !IsWeb(l.Url)))
        {
            link.Url = "";
        }

        return document.ToHtml(Pipeline);
    }

    private static string Plain(string text) => $"<pre>{System.Net.WebUtility.HtmlEncode(text)}</pre>\n";

    // Comments that begin a line, code excepted: what a browser would not show either.
    private static string WithoutComments(string text)
    {
        var kept = new StringBuilder(text.Length);
        var (isCode, isComment) = (false, false);
        foreach (var line in text.Split('\n'))
        {
            isCode ^= !isComment && line.TrimStart() is ['`', '`', '`', ..] or ['~', '~', '~', ..];
            var begins = !isCode && !isComment && line.StartsWith("<!--", StringComparison.Ordinal);
            if (!begins && !isComment)
            {
                kept.Append(line).Append('\n');
                continue;
            }

            var end = line.IndexOf("-->", StringComparison.Ordinal);
            isComment = end < 0;
            kept.Append(end < 0 ? "" : line[(end + 3)..]).Append('\n');
        }

        return kept.ToString();
    }

    private static string Address(string? url, string filesAddress) => url switch
    {
        null or "" => "",
        ['#', ..] => url,
        _ when IsWeb(url) || url.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase) => url,
        // Schemes that a page must not start, and addresses of other origins without a scheme.
        _ when url.Split('/', '?', '#')[0].Contains(':', StringComparison.Ordinal) || url.StartsWith("//", StringComparison.Ordinal) || url.Any(c => c <= ' ' || c == '\\') => "",
        ['/', ..] => url,
        _ => filesAddress + (url.StartsWith("./", StringComparison.Ordinal) ? url[2..] : url),
    };

    private static bool IsWeb(string url) => url.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || url.StartsWith("http://", StringComparison.OrdinalIgnoreCase);
}
