using System.Security.Cryptography;
using System.Text;

namespace Vizsla.Testing.Hub;

/// <summary>The recordings' binary contents.</summary>
public static class Noise
{
    /// <summary>SHA-256 of "seed:0", "seed:1", ... one after the other, cut to length.</summary>
    /// <param name="count">Bytes.</param>
    /// <param name="seed">The seed.</param>
    public static byte[] Make(int count, string seed)
    {
        var bytes = new byte[count];
        for (var i = 0; i * 32 < count; i++)
        {
            var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}:{i}"));
            hash.AsSpan(0, Math.Min(32, count - (i * 32))).CopyTo(bytes.AsSpan(i * 32));
        }

        return bytes;
    }
}
