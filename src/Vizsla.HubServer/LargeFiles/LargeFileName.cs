namespace Vizsla.HubServer.LargeFiles;

/// <summary>Names of large files: SHA-256 in lower-case hexadecimal digits, which are also safe as names on disk.</summary>
internal static class LargeFileName
{
    /// <summary>Whether a text is such a name.</summary>
    public static bool IsValid(string oid) => oid.Length == 64 && oid.All(c => c is (>= '0' and <= '9') or (>= 'a' and <= 'f'));
}
