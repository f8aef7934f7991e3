using System.Text.Json.Nodes;

namespace Vizsla.Hub.Transfers;

/// <summary>One line of a commit.</summary>
/// <param name="Key">What it is: <c>file</c>, <c>lfsFile</c>, <c>deletedFile</c>, <c>deletedFolder</c>.</param>
/// <param name="Value">The rest; null for a regular file, which is read when it is sent.</param>
/// <param name="File">The regular file; null for the others.</param>
internal sealed record CommitLine(string Key, JsonObject? Value, PreparedFile? File)
{
    /// <summary>A regular file.</summary>
    public static CommitLine Regular(PreparedFile file) => new("file", null, file);

    /// <summary>A large file that the storage has.</summary>
    /// <param name="path">Path in the repository.</param>
    /// <param name="oid">SHA-256.</param>
    /// <param name="size">Bytes; null in a copy.</param>
    public static CommitLine Large(string path, string oid, long? size)
    {
        var value = new JsonObject { ["path"] = path, ["algo"] = "sha256", ["oid"] = oid };
        if (size is not null)
        {
            value["size"] = size;
        }

        return new("lfsFile", value, null);
    }

    /// <summary>A removal.</summary>
    public static CommitLine Delete(CommitDelete delete) =>
        new(delete.IsFolder ? "deletedFolder" : "deletedFile", new JsonObject { ["path"] = delete.Path + (delete.HasSlash ? "/" : "") }, null);
}
