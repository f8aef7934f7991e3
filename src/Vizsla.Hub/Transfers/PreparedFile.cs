using System.Security.Cryptography;
using System.Text;

namespace Vizsla.Hub.Transfers;

/// <summary>A file to add, with what the Hub wants of it.</summary>
/// <param name="Source">The file.</param>
/// <param name="IsLarge">True: its bytes go to the storage; false: into the commit itself.</param>
/// <param name="IsIgnored">True: the repository's <c>.gitignore</c> leaves it out.</param>
/// <param name="Previous">Id of what the repository has at this path; null when nothing.</param>
/// <param name="Oid">Id of the new content: SHA-256 of a large file, Git's blob id of another.</param>
/// <param name="Size">Bytes.</param>
internal sealed record PreparedFile(CommitAdd Source, bool IsLarge, bool IsIgnored, string? Previous, string Oid, long Size)
{
    /// <summary>Whether committing it would change nothing.</summary>
    public bool IsUnchanged => Previous == Oid;

    /// <summary>The content's id.</summary>
    public static async Task<string> HashAsync(CommitAdd source, bool isLarge, long size, CancellationToken cancellationToken)
    {
        var stream = source.Open();
        await using (stream.ConfigureAwait(false))
        {
            if (isLarge)
            {
                return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken).ConfigureAwait(false));
            }

            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
            hash.AppendData(Encoding.ASCII.GetBytes($"blob {size}\0"));
            var buffer = new byte[64 * 1024];
            int read;
            while ((read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                hash.AppendData(buffer, 0, read);
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
    }
}
