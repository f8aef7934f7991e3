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
