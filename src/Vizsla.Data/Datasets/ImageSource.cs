using Vizsla.Datasets.Readers;

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
