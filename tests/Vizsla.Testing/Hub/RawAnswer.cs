using System.Globalization;
using System.Text;

namespace Vizsla.Testing.Hub;

/// <summary>An answer to write over the wire.</summary>
/// <param name="Status">The status.</param>
/// <param name="Headers">Content-Length excepted, unless it shall differ from the body's.</param>
/// <param name="Body">Whole; not written for HEAD.</param>
/// <param name="CloseAfter">Bytes of the body after which the connection is closed; null for none.</param>
public sealed record RawAnswer(int Status, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body, int? CloseAfter = null)
{
    /// <summary>Writes the answer.</summary>
    /// <returns>Whether the connection goes on.</returns>
    public async Task<bool> WriteAsync(Stream stream, string method, CancellationToken cancellationToken)
    {
        var chunked = Headers.Any(h => h.Key.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase));
        var head = new StringBuilder($"HTTP/1.1 {Status} Recorded\r\n");
        foreach (var (name, value) in Headers)
        {
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        if (!chunked && !Headers.Any(h => h.Key.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)))
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {Body.Length}\r\n");
        }

        await stream.WriteAsync(Encoding.UTF8.GetBytes(head.Append("\r\n").ToString()), cancellationToken);
        if (method == "HEAD")
        {
            return true;
        }

        var body = CloseAfter is { } count ? Body[..count] : Body;
        if (chunked && body.Length > 0)
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"{body.Length:x}\r\n"), cancellationToken);
            await stream.WriteAsync(body, cancellationToken);
            await stream.WriteAsync("\r\n0\r\n\r\n"u8.ToArray(), cancellationToken);
        }
        else
        {
            await stream.WriteAsync(body, cancellationToken);
        }

        return CloseAfter is null;
    }
}
