using System.Text.Json.Nodes;
using Vizsla.Hub;
using Vizsla.HubServer.Commits;
using Vizsla.HubServer.Repositories;

namespace Vizsla.HubServer.Api;

/// <summary>Repositories, files and commits as JSON.</summary>
internal static class RepositoryJson
{
    /// <summary>What a search shows.</summary>
    public static JsonObject Brief(Repository repository, IEnumerable<string> paths)
    {
        var json = Head(repository, paths);
        json["createdAt"] = repository.Created;
        return json;
    }

    /// <summary>Everything of a repository at a commit.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="commit">The commit.</param>
    /// <param name="files">Its files.</param>
    /// <param name="withBlobs">True adds sizes and ids.</param>
    public static JsonObject Full(Repository repository, StoredCommit commit, IReadOnlyList<(string Path, TreeItem Item)> files, bool withBlobs)
    {
        var sorted = files.OrderBy(f => f.Path, StringComparer.Ordinal).ToList();
        var json = Head(repository, sorted.Select(f => f.Path));
        json["author"] = repository.Id.Owner;
        json["sha"] = commit.Id;
        json["lastModified"] = commit.Date;
        json["gated"] = repository.IsGated ? "auto" : false;
        json["disabled"] = false;
        json["createdAt"] = repository.Created;
        json["usedStorage"] = sorted.Sum(f => f.Item.Size);
        json["siblings"] = new JsonArray([.. sorted.Select(f => Sibling(f.Path, f.Item, withBlobs))]);
        if (repository.Id.Type is RepoType.Model)
        {
            json["spaces"] = new JsonArray();
        }

        return json;
    }

    /// <summary>A row of a tree.</summary>
    /// <param name="path">Whole path.</param>
    /// <param name="item">The file or folder.</param>
    /// <param name="last">The commit to name as its last; null names none.</param>
    public static JsonObject Entry(string path, TreeItem item, StoredCommit? last)
    {
        var json = new JsonObject { ["type"] = item.IsFolder ? "directory" : "file", ["oid"] = item.Oid, ["size"] = item.Size };
        if (item.LargeOid is { } large)
        {
            json["lfs"] = new JsonObject { ["oid"] = large, ["size"] = item.Size, ["pointerSize"] = GitIds.Pointer(large, item.Size).Length };
        }

        json["path"] = path;
        if (last is not null)
        {
            json["lastCommit"] = new JsonObject { ["id"] = last.Id, ["title"] = last.Title, ["date"] = last.Date };
        }

        return json;
    }

    /// <summary>A row of a history.</summary>
    public static JsonObject Commit(StoredCommit commit) => new()
    {
        ["id"] = commit.Id,
        ["title"] = commit.Title,
        ["message"] = commit.Message,
        ["authors"] = new JsonArray(new JsonObject { ["user"] = commit.Author, ["avatar"] = "" }),
        ["date"] = commit.Date,
    };

    private static JsonObject Head(Repository repository, IEnumerable<string> paths)
    {
        var json = new JsonObject
        {
            ["_id"] = repository.PublicId,
            ["id"] = repository.Id.Id,
            ["private"] = repository.IsPrivate,
            ["tags"] = paths.Any(p => p.EndsWith(".safetensors", StringComparison.Ordinal)) ? new JsonArray("safetensors", "region:us") : new JsonArray("region:us"),
            ["downloads"] = 0,
            ["likes"] = 0,
        };
        if (repository.Id.Type is RepoType.Model)
        {
            json["modelId"] = repository.Id.Id;
        }

        return json;
    }

    private static JsonObject Sibling(string path, TreeItem item, bool withBlobs)
    {
        var json = new JsonObject { ["rfilename"] = path };
        if (withBlobs)
        {
            json["size"] = item.Size;
            json["blobId"] = item.Oid;
            if (item.LargeOid is { } large)
            {
                json["lfs"] = new JsonObject { ["sha256"] = large, ["size"] = item.Size, ["pointerSize"] = GitIds.Pointer(large, item.Size).Length };
            }
        }

        return json;
    }
}
