using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Vizsla.HubServer.Protocol;

namespace Vizsla.HubServer.Api;

/// <summary>A page of a listing; the next one's address goes into the <c>Link</c> header.</summary>
/// <param name="Start">First row.</param>
/// <param name="Size">Rows.</param>
internal readonly record struct Paging(int Start, int Size)
{
    /// <summary>The page that a query asks for.</summary>
    /// <exception cref="Refusal">The cursor is invalid.</exception>
    public static Paging Of(HttpRequest request, int largest)
    {
        var size = int.TryParse(request.Query["limit"], out var limit) && limit > 0 ? Math.Min(limit, largest) : largest;
        if (request.Query["cursor"].ToString() is not { Length: > 0 } cursor)
        {
            return new(0, size);
        }

        var bytes = new byte[cursor.Length];
        return Convert.TryFromBase64String(cursor, bytes, out var count) && int.TryParse(Encoding.ASCII.GetString(bytes, 0, count), NumberStyles.None, CultureInfo.InvariantCulture, out var start)
            ? new(start, size)
            : throw new Refusal(StatusCodes.Status400BadRequest, "Invalid cursor");
    }

    /// <summary>Names the next page, when there is one.</summary>
    public void AddNext(HttpContext context, long count)
    {
        if ((long)Start + Size >= count)
        {
            return;
        }

        var cursor = Convert.ToBase64String(Encoding.ASCII.GetBytes((Start + Size).ToString(CultureInfo.InvariantCulture)));
        var query = context.Request.Query.Where(q => q.Key != "cursor").SelectMany(q => q.Value.Select(v => $"{q.Key}={Uri.EscapeDataString(v ?? "")}")).Append($"cursor={Uri.EscapeDataString(cursor)}");
        var path = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget.Split('?')[0];
        context.Response.Headers.Link = $"<{Links.Base(context)}{path}?{string.Join('&', query)}>; rel=\"next\"";
    }
}
