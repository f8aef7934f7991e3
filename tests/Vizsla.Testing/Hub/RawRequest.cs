using System.Globalization;
using System.Text;

namespace Vizsla.Testing.Hub;

/// <summary>A request as it came over the wire.</summary>
/// <param name="Method">The verb.</param>
/// <param name="Path">Still percent-encoded.</param>
/// <param name="Query">Without its question mark; empty when there is none.</param>
/// <param name="Headers">Names in lower case.</param>
/// <param name="Body">Whole.</param>
/// <param name="IsStorage">True when it came to the storage's port.</param>
public sealed record RawRequest(string Method, string Path, string Query, IReadOnlyDictionary<string, string> Headers, byte[] Body, bool IsStorage)
{
    /// <summary>Method, place and query on one line.</summary>
    public override string ToString() => $"{(IsStorage ? "cdn" : "hub")} {Method} {Path}{(Query.Length > 0 ? "?" + Query : "")}";

    /// <summary>Reads one request from a connection; null when the other side has closed it.</summary>
    public static async Task<RawRequest?> ReadAsync(Stream stream, bool isStorage, CancellationToken cancellationToken)
    {
        var head = new MemoryStream();
        var one = new byte[1];
        while (!EndsHead(head))
        {
            if (await stream.ReadAsync(one, cancellationToken) == 0)
            {
                return null;
            }

            head.WriteByte(one[0]);
        }

        var lines = Encoding.Latin1.GetString(head.ToArray()).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var words = lines[0].Split(' ');
        var target = words[1].Split('?', 2);
        var headers = lines.Skip(1).Select(l => l.Split(':', 2)).ToDictionary(p => p[0].Trim().ToLowerInvariant(), p => p[1].Trim());
        var body = headers.ContainsKey("transfer-encoding")
            ? await ReadChunksAsync(stream, cancellationToken)
            : await ReadExactlyAsync(stream, headers.TryGetValue("content-length", out var length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0, cancellationToken);
        return new RawRequest(words[0], target[0], target.Length > 1 ? target[1] : "", headers, body, isStorage);
    }

    private static bool EndsHead(MemoryStream head) =>
        head.Length >= 4 && head.GetBuffer().AsSpan((int)head.Length - 4, 4).SequenceEqual("\r\n\r\n"u8);

    private static async Task<byte[]> ReadExactlyAsync(Stream stream, int count, CancellationToken cancellationToken)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }

    private static async Task<byte[]> ReadChunksAsync(Stream stream, CancellationToken cancellationToken)
    {
        var body = new MemoryStream();
        while (true)
        {
            var size = Convert.ToInt32(await ReadLineAsync(stream, cancellationToken), 16);
            body.Write(await ReadExactlyAsync(stream, size, cancellationToken));
            await ReadLineAsync(stream, cancellationToken);
            if (size == 0)
            {
                return body.ToArray();
            }
        }
    }

    private static async Task<string> ReadLineAsync(Stream stream, CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (true)
        {
            await stream.ReadExactlyAsync(one, cancellationToken);
            if (one[0] == '\n')
            {
                return line.ToString().TrimEnd('\r');
            }

            line.Append((char)one[0]);
        }
    }
}
