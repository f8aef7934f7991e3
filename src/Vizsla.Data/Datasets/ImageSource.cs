using System.IO.Compression;
using Vizsla.Primitives;

namespace Vizsla.Datasets;

/// <summary>Where a picture lies: a file, or encoded bytes with the file name they had; not decoded.</summary>
/// <param name="Path">Path of the file; where <paramref name="Bytes"/> is given, only the name it had, or null.</param>
/// <param name="Bytes">The encoded file (JPEG, PNG, ...), or null where the picture is read from <paramref name="Path"/>.</param>
/// <remarks>Source: the struct of <c>bytes</c> and <c>path</c> behind <c>datasets.Image</c>.</remarks>
public sealed record ImageSource(string? Path, ReadOnlyMemory<byte>? Bytes = null)
{
    /// <summary>Class number of the row; null without a label column or where the label is missing.</summary>
    public int? Label { get; init; }

    /// <summary>The name to use in messages.</summary>
    public string Name => Path ?? "<bytes>";

    /// <summary>Whether <see cref="Path"/> is a file of its own: neither bytes in memory nor a member of an archive.</summary>
    public bool IsFile => Bytes is null && Path is not null && !PictureArchive.IsAddress(Path);

    /// <summary>The encoded file, read from disk where it is not in memory.</summary>
    /// <exception cref="DatasetException">The file cannot be read, or the source is empty.</exception>
    public ReadOnlyMemory<byte> ReadBytes()
    {
        if (Bytes is { } bytes)
        {
            return bytes;
        }

        if (Path is null)
        {
            throw new DatasetException("This row has no picture: neither bytes nor a path.");
        }

        try
        {
            return PictureArchive.TryRead(Path) ?? File.ReadAllBytes(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new DatasetException($"Cannot read the picture '{Path}': {e.Message}", e);
        }
    }
}

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

/// <summary>What lies behind a path: the file itself, or the one a link leads to.</summary>
internal static class RealFile
{
    /// <summary>The file; for a link its last target, whose length and time count.</summary>
    public static FileInfo Of(string path)
    {
        var file = new FileInfo(path);
        return file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
    }

    /// <summary>Length in bytes, or -1 where there is no file.</summary>
    public static long Length(string path)
    {
        var file = Of(path);
        return file.Exists ? file.Length : -1;
    }
}
