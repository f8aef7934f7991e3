using System.Net;

namespace Vizsla.Hub.Transfers;

/// <summary>A range of a file as a request's body; opened anew for each attempt.</summary>
/// <param name="source">The file.</param>
/// <param name="from">First byte.</param>
/// <param name="count">Bytes.</param>
/// <param name="sent">Told how many bytes have left; null tells nobody.</param>
internal sealed class SliceContent(CommitAdd source, long from, long count, Action<long>? sent) : HttpContent
{
    private const int BufferSize = 128 * 1024;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var input = source.Open();
        await using (input.ConfigureAwait(false))
        {
            input.Position = from;
            var buffer = new byte[BufferSize];
            for (var done = 0L; done < count;)
            {
                var read = await input.ReadAsync(buffer.AsMemory(0, (int)Math.Min(BufferSize, count - done)), cancellationToken).ConfigureAwait(false);
                if (read == 0)
                {
                    throw new IOException($"'{source.File ?? source.Path}' has become shorter while it was sent. Send it again when nothing writes to it.");
                }

                await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                done += read;
                sent?.Invoke(done);
            }
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = count;
        return true;
    }
}
