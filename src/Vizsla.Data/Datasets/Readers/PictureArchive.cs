using System.IO.Compression;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Readers;

/// <summary>A zip file of pictures; its members are read where they lie, under <c>zip://member::archive</c>.</summary>
internal sealed class PictureArchive
{
    private const string Scheme = "zip://";
    private const string Hop = "::";

    /// <exception cref="DatasetException">The file is not a zip archive.</exception>
    public PictureArchive(string path)
    {
        Path = path;
        try
        {
            using var zip = ZipFile.OpenRead(path);
            Members = [.. zip.Entries.Select(e => e.FullName).Where(IsListed).Order(Comparer<string>.Create(CompareAsWalked))];
        }
        catch (InvalidDataException e)
        {
            throw new DatasetException($"'{path}' is not a zip archive that can be read: {e.Message}", e);
        }

        if (Members.Any(ImageFolderReader.IsMetadata))
        {
            throw new DatasetException($"'{path}' holds a metadata file; metadata inside an archive is not read. Unpack the archive.");
        }
    }

    /// <summary>Path of the archive.</summary>
    public string Path { get; }

    /// <summary>Files in the archive: those of a folder before those of its subfolders, each in code point order; hidden ones left out.</summary>
    public IReadOnlyList<string> Members { get; }

    /// <summary>What stands in a row for a member.</summary>
    public string Address(string member) => $"{Scheme}{member}{Hop}{Path}";

    /// <summary>Whether a path is the address of a member.</summary>
    public static bool IsAddress(string path) => path.StartsWith(Scheme, StringComparison.Ordinal) && path.Contains(Hop, StringComparison.Ordinal);

    /// <summary>The bytes behind an address, or null where the path is none.</summary>
    /// <exception cref="DatasetException">The archive has no such member.</exception>
    public static byte[]? TryRead(string path)
    {
        if (!IsAddress(path))
        {
            return null;
        }

        var hop = path.LastIndexOf(Hop, StringComparison.Ordinal);
        using var zip = ZipFile.OpenRead(path[(hop + Hop.Length)..]);
        var entry = zip.GetEntry(path[Scheme.Length..hop]) ?? throw new DatasetException($"The archive '{path[(hop + Hop.Length)..]}' has no member '{path[Scheme.Length..hop]}'.");
        using var stream = entry.Open();
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }

    private static bool IsListed(string member) =>
        !member.EndsWith('/') && !member.Split('/').Any(part => part.StartsWith('.') || part.StartsWith("__", StringComparison.Ordinal));

    private static int CompareAsWalked(string a, string b)
    {
        var (left, right) = (a.Split('/'), b.Split('/'));
        for (var i = 0; ; i++)
        {
            var (leftIsFile, rightIsFile) = (i == left.Length - 1, i == right.Length - 1);
            if (leftIsFile != rightIsFile)
            {
                return leftIsFile ? -1 : 1;
            }

            var order = CodePointComparer.Instance.Compare(left[i], right[i]);
            if (order != 0 || leftIsFile)
            {
                return order;
            }
        }
    }
}
