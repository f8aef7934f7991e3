using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Vizsla.Hub.Cache;

namespace Vizsla.Hub.Transfers;

/// <summary>Downloads one file to disk: resumed after a broken connection, size and hash verified.</summary>
/// <remarks>
/// Source: huggingface_hub 2.x <c>http_get</c>: progress counts in whole steps of 10 MiB, a break is followed by a request for the
/// rest, an answer of 200 to it starts over, five breaks without progress end it.
/// </remarks>
internal sealed partial class BodyDownload(HubHttp http, HubOptions options, ILogger logger)
{
    private const int Step = 10 * 1024 * 1024;
    private const int MaxBreaks = 5;
    private const int BufferSize = 128 * 1024;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Fetches into a file that does not exist yet; it is removed when that fails.</summary>
    public async Task ToFileAsync(FileMetadata file, string destination, RequestSubject subject, bool authorize, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        try
        {
            using (var stream = new FileStream(destination, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Options = FileOptions.Asynchronous,
                BufferSize = 0,
            }))
            {
                if (file.Size > 0)
                {
                    await FetchAsync(file, stream, subject, authorize, progress, cancellationToken).ConfigureAwait(false);
                }

                await VerifyAsync(file, stream, subject, cancellationToken).ConfigureAwait(false);
            }
        }
        catch
        {
            File.Delete(destination);
            throw;
        }
    }

    private async Task FetchAsync(FileMetadata file, FileStream stream, RequestSubject subject, bool authorize, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        var kept = 0L;
        for (var breaks = 0; ; breaks++)
        {
            var start = kept;
            try
            {
                using var response = await http.SendAsync(
                    () => new HubRequest(HttpMethod.Get, file.Location) { Range = kept > 0 ? kept : null, Authorize = authorize, Timeout = options.DownloadTimeout },
                    subject, RetryPolicy.Repeatable, cancellationToken).ConfigureAwait(false);
                if (response.StatusCode != HttpStatusCode.PartialContent)
                {
                    kept = start = 0;
                }

                stream.SetLength(kept);
                stream.Position = kept;
                await CopyAsync(response, stream, file, subject, progress, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (IsBreak(e, cancellationToken))
            {
                kept = start + ((stream.Length - start) / Step * Step);
                breaks = kept > start ? 0 : breaks;
                if (breaks >= MaxBreaks)
                {
                    throw HubErrors.Unreachable(subject, file.Location, e);
                }

                LogBreak(subject.ToString(), stream.Length, file.Size, kept);
                await Task.Delay(Pause, http.Time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task CopyAsync(HttpResponseMessage response, FileStream stream, FileMetadata file, RequestSubject subject, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(options.DownloadTimeout);
        using var body = await response.Content.ReadAsStreamAsync(timeout.Token).ConfigureAwait(false);
        var buffer = new byte[BufferSize];
        while (true)
        {
            timeout.CancelAfter(options.DownloadTimeout);
            var read = await body.ReadAsync(buffer, timeout.Token).ConfigureAwait(false);
            if (read == 0)
            {
                return;
            }

            await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            if (stream.Position > file.Size)
            {
                throw Corrupt(subject, $"more than the announced {file.Size} bytes arrived");
            }

            progress?.Report(new(subject.Path!, stream.Position, file.Size));
        }
    }

    private static async Task VerifyAsync(FileMetadata file, FileStream stream, RequestSubject subject, CancellationToken cancellationToken)
    {
        if (stream.Length != file.Size)
        {
            throw Corrupt(subject, $"{file.Size} bytes were announced, {stream.Length} arrived");
        }

        if (!RepoCache.IsSha256(file.ETag))
        {
            return;
        }

        stream.Position = 0;
        var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken).ConfigureAwait(false));
        if (hash != file.ETag)
        {
            throw Corrupt(subject, $"its SHA-256 should be {file.ETag} but is {hash}");
        }
    }

    private static HubException Corrupt(RequestSubject subject, string what) =>
        new(HubErrorKind.Corrupt, $"{subject}: {what}. The network or the storage has damaged it; try again.")
        {
            Repo = subject.Repo,
            Path = subject.Path,
            Revision = subject.Revision,
        };

    private static bool IsBreak(Exception e, CancellationToken cancellationToken) => e switch
    {
        HubException => false,
        HttpRequestException => true,
        IOException io => io is HttpIOException || io.InnerException is System.Net.Sockets.SocketException,
        OperationCanceledException => !cancellationToken.IsCancellationRequested,
        _ => false,
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Subject}: the connection broke after {Received} of {Size} bytes; resuming at {Kept}.")]
    private partial void LogBreak(string subject, long received, long size, long kept);
}
