using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Vizsla.HubServer.Pages;

/// <summary>HTML, every text escaped unless it is said to be HTML already.</summary>
internal sealed class PageWriter
{
    private const string Policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private readonly StringBuilder _html = new();

    /// <summary>Appends text.</summary>
    public PageWriter Text(string text)
    {
        _html.Append(WebUtility.HtmlEncode(text));
        return this;
    }

    /// <summary>Appends HTML that was made here.</summary>
    public PageWriter Html(string html)
    {
        _html.Append(html);
        return this;
    }

    /// <summary>Appends an element with a text in it.</summary>
    public PageWriter Element(string tag, string text, string? style = null)
    {
        _html.Append(CultureInfo.InvariantCulture, $"<{tag}{(style is null ? "" : $" class=\"{style}\"")}>{WebUtility.HtmlEncode(text)}</{tag}>");
        return this;
    }

    /// <summary>Appends a link.</summary>
    public PageWriter Link(string address, string text)
    {
        _html.Append(CultureInfo.InvariantCulture, $"<a href=\"{WebUtility.HtmlEncode(address)}\">{WebUtility.HtmlEncode(text)}</a>");
        return this;
    }

    /// <summary>The whole page.</summary>
    /// <param name="context">The request; its answer gets the policy that allows no script at all.</param>
    /// <param name="title">Shown by the browser.</param>
    public IResult ToResult(HttpContext context, string title)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-cache";
        headers.Vary = "Authorization";
        return Results.Content(
            $"""
            <!doctype html>
            <html lang="en">
            <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{WebUtility.HtmlEncode(title)}</title><link rel="stylesheet" href="/static/hub.css"></head>
            <body><header><a href="/">Vizsla Hub</a></header><main>{_html}</main></body>
            </html>

            """,
            "text/html; charset=utf-8");
    }
}

/// <summary>How the pages look.</summary>
internal static class StyleSheet
{
    /// <summary>The style sheet.</summary>
    public const string Css =
        """
        :root { color-scheme: light dark; --line: #8884; --soft: #8882; --link: #0a58ca; }
        @media (prefers-color-scheme: dark) { :root { --link: #7db3ff; } }
        * { box-sizing: border-box; }
        body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
        header { padding: .75rem 1rem; border-bottom: 1px solid var(--line); font-weight: 600; }
        header a { color: inherit; text-decoration: none; }
        main { max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
        a { color: var(--link); }
        table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
        th, td { padding: .3rem .6rem; border: 1px solid var(--line); text-align: left; vertical-align: top; }
        td.size { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
        pre { padding: .75rem; overflow: auto; background: var(--soft); border-radius: .4rem; }
        code { font-size: .9em; }
        img { max-width: 100%; }
        .quiet { opacity: .7; }
        .tag { display: inline-block; padding: 0 .5rem; border: 1px solid var(--line); border-radius: 1rem; font-size: .85rem; }
        """;
}
