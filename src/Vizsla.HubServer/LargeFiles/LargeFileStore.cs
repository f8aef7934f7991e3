using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using Vizsla.HubServer.Accounts;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Repositories;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.LargeFiles;

/// <summary>Contents of large files, one file each, named by SHA-256; they grow elsewhere and are moved in when they are whole and on disk.</summary>
[SuppressMessage("Security", "CA5351", Justification = "MD5 is what object storages give as ETag; contents are checked by SHA-256.")]
internal sealed class LargeFileStore
{
    private const int BufferSize = 256 * 1024;

    private readonly HubDatabase _database;
    private readonly string _folder;
    private readonly string _incoming;

    public LargeFileStore(HubDatabase database, string dataDirectory)
    {
        _database = database;
        // Answers are sent from whole paths alone.
        var root = Path.GetFullPath(dataDirectory);
        _folder = Path.Combine(root, "large");
        _incoming = Path.Combine(root, "incoming");
        Directory.CreateDirectory(_folder);
        Directory.CreateDirectory(_incoming);
    }

    /// <summary>Where a content lies.</summary>
    public string PathOf(string oid) => Path.Combine(_folder, oid[..2], oid[2..4], oid);

    /// <summary>Size and ETag of a content; null when it is not here.</summary>
    public (long Size, string Md5)? Find(string oid) => _database.Read(c => c.Rows("SELECT size, md5 FROM large_files WHERE oid = $oid", r => ((long, string)?)(r.GetInt64(0), r.GetString(1)), ("$oid", oid)).FirstOrDefault());

    /// <summary>Whether a content is here for a caller: it was sent to this repository, or to one that the caller may read.</summary>
    public bool IsVisible(string oid, Repository repository, Caller caller) => _database.Read(c => c.Scalar<long>(
        """
        SELECT EXISTS (SELECT 1 FROM large_links l JOIN repositories r ON r.id = l.repository
            WHERE l.oid = $oid AND (r.id = $id OR r.owner = $user OR (r.private = 0 AND r.gated = 0)
                OR EXISTS (SELECT 1 FROM roles WHERE roles.repository = r.id AND roles.user = $user)))
        """,
        ("$oid", oid), ("$id", repository.Key), ("$user", caller.User))) != 0;

    /// <summary>Takes a content in: checks its hash, flushes it, moves it to its place, records it.</summary>
    /// <param name="oid">The SHA-256 that it must have.</param>
    /// <param name="repository">The repository that it is sent to.</param>
    /// <param name="content">The bytes.</param>
    /// <param name="cancellationToken">Stops; what has arrived is dropped.</param>
    /// <returns>Its MD5; null when the content is not what its name says.</returns>
    public async Task<string?> TakeAsync(string oid, long repository, Stream content, CancellationToken cancellationToken)
    {
        var file = Path.Combine(_incoming, Guid.NewGuid().ToString("N"));
        try
        {
            var (size, sha256, md5) = await ReceiveAsync(file, content, cancellationToken).ConfigureAwait(false);
            if (sha256 != oid)
            {
                return null;
            }

            var place = PathOf(oid);
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            File.Move(file, place, overwrite: true);
            await _database.WriteAsync(
                c =>
                {
                    c.Run("INSERT OR IGNORE INTO large_files VALUES ($oid, $size, $md5)", ("$oid", oid), ("$size", size), ("$md5", md5));
                    return c.Run("INSERT OR IGNORE INTO large_links SELECT $oid, id FROM repositories WHERE id = $id", ("$oid", oid), ("$id", repository));
                },
                cancellationToken).ConfigureAwait(false);
            return md5;
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Takes one part of a content; parts wait on disk until they are joined.</summary>
    /// <returns>Its MD5.</returns>
    public async Task<string> TakePartAsync(string uploadId, int number, Stream content, CancellationToken cancellationToken)
    {
        var folder = PartFolder(uploadId);
        Directory.CreateDirectory(folder);
        var file = Path.Combine(_incoming, Guid.NewGuid().ToString("N"));
        try
        {
            var (_, _, md5) = await ReceiveAsync(file, content, cancellationToken).ConfigureAwait(false);
            File.Move(file, PartPath(uploadId, number), overwrite: true);
            return md5;
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Joins the parts of a content.</summary>
    /// <returns>Why that is not possible; null when it is done.</returns>
    public async Task<string?> JoinAsync(string uploadId, string oid, long repository, int parts, CancellationToken cancellationToken)
    {
        if (Enumerable.Range(1, parts).FirstOrDefault(n => !File.Exists(PartPath(uploadId, n))) is var missing and > 0)
        {
            return $"part {missing} of {parts} is missing";
        }

        using (var joined = new PartStream([.. Enumerable.Range(1, parts).Select(n => PartPath(uploadId, n))]))
        {
            if (await TakeAsync(oid, repository, joined, cancellationToken).ConfigureAwait(false) is null)
            {
                return "checksum mismatch";
            }
        }

        Directory.Delete(PartFolder(uploadId), recursive: true);
        return null;
    }

    /// <summary>Removes what a crash or a broken connection has left behind for longer than a day.</summary>
    public void Sweep(DateTimeOffset now)
    {
        foreach (var entry in new DirectoryInfo(_incoming).EnumerateFileSystemInfos().Where(e => now - e.LastWriteTimeUtc > TimeSpan.FromDays(1)))
        {
            if (entry is DirectoryInfo folder)
            {
                folder.Delete(recursive: true);
            }
            else
            {
                entry.Delete();
            }
        }
    }

    private string PartFolder(string uploadId) => Path.Combine(_incoming, "parts-" + uploadId);

    private string PartPath(string uploadId, int number) => Path.Combine(PartFolder(uploadId), number.ToString("00000", CultureInfo.InvariantCulture));

    private static async Task<(long Size, string Sha256, string Md5)> ReceiveAsync(string file, Stream content, CancellationToken cancellationToken)
    {
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        var output = new FileStream(file, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.Asynchronous, BufferSize = 0 });
        await using (output.ConfigureAwait(false))
        {
            var buffer = new byte[BufferSize];
            int read;
            while ((read = await content.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                sha256.AppendData(buffer, 0, read);
                md5.AppendData(buffer, 0, read);
                await output.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            }

            output.Flush(flushToDisk: true);
            return (output.Length, Convert.ToHexStringLower(sha256.GetHashAndReset()), Convert.ToHexStringLower(md5.GetHashAndReset()));
        }
    }
}

/// <summary>Names of large files: SHA-256 in lower-case hexadecimal digits, which are also safe as names on disk.</summary>
internal static class LargeFileName
{
    /// <summary>Whether a text is such a name.</summary>
    public static bool IsValid(string oid) => oid.Length == 64 && oid.All(c => c is (>= '0' and <= '9') or (>= 'a' and <= 'f'));
}

/// <summary>Several files read as one.</summary>
internal sealed class PartStream(IReadOnlyList<string> files) : Stream
{
    private int _next;
    private FileStream? _current;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count)
    {
        while (true)
        {
            if (_current?.Read(buffer, offset, count) is > 0 and var read)
            {
                return read;
            }

            if (!Advance())
            {
                return 0;
            }
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (_current is { } file && await file.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var read)
            {
                return read;
            }

            if (!Advance())
            {
                return 0;
            }
        }
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _current?.Dispose();
        base.Dispose(disposing);
    }

    private bool Advance()
    {
        _current?.Dispose();
        _current = _next < files.Count ? new FileStream(files[_next++], FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.Asynchronous | FileOptions.SequentialScan) : null;
        return _current is not null;
    }
}
