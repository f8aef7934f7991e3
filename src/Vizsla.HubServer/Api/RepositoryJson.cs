using System.Text.Json.Nodes;
using Vizsla.Hub;
using Vizsla.HubServer.Commits;
using Vizsla.HubServer.Repositories;

namespace Vizsla.HubServer.Api;

/// <summary>Repositories, files and commits as JSON.</summary>
internal static class RepositoryJson
{
    /// <summary>A row of a search.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="commit">Its state.</param>
    /// <param name="facts">What its card says.</param>
    /// <param name="files">Its files, where they are asked for; null leaves them out.</param>
    /// <param name="withCard">True adds the card's metadata.</param>
    /// <param name="withConfig">True adds the configuration.</param>
    public static JsonObject Row(Repository repository, StoredCommit commit, CardFacts facts, IEnumerable<string>? files, bool withCard, bool withConfig)
    {
        var json = Head(repository, facts);
        json["createdAt"] = repository.Created;
        json["lastModified"] = commit.Date;
        if (files is not null)
        {
            json["author"] = repository.Id.Owner;
            json["sha"] = commit.Id;
            json["gated"] = GatedOf(repository);
            json["disabled"] = false;
            json["siblings"] = new JsonArray([.. files.Select(f => new JsonObject { ["rfilename"] = f })]);
        }

        if (withCard && facts.CardData is { } card)
        {
            json["cardData"] = card.DeepClone();
        }

        if (withConfig && facts.Config is { } config)
        {
            json["config"] = config.DeepClone();
        }

        return json;
    }

    /// <summary>Everything of a repository at a commit.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="commit">The commit.</param>
    /// <param name="facts">What its card says.</param>
    /// <param name="files">Its files.</param>
    /// <param name="withBlobs">True adds sizes and ids.</param>
    public static JsonObject Full(Repository repository, StoredCommit commit, CardFacts facts, IReadOnlyList<(string Path, TreeItem Item)> files, bool withBlobs)
    {
        var sorted = files.OrderBy(f => f.Path, StringComparer.Ordinal).ToList();
        var json = Head(repository, facts);
        json["author"] = repository.Id.Owner;
        json["sha"] = commit.Id;
        json["lastModified"] = commit.Date;
        json["gated"] = GatedOf(repository);
        json["disabled"] = false;
        json["createdAt"] = repository.Created;
        json["usedStorage"] = sorted.Sum(f => f.Item.Size);
        json["siblings"] = new JsonArray([.. sorted.Select(f => Sibling(f.Path, f.Item, withBlobs))]);
        if (facts.CardData is { } card)
        {
            json["cardData"] = card.DeepClone();
        }

        if (repository.Id.Type is RepoType.Model)
        {
            json["spaces"] = new JsonArray();
            if (facts.Config is { } config)
            {
                json["config"] = config.DeepClone();
            }
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

    private static JsonNode GatedOf(Repository repository) => repository.Gating switch
    {
        Gating.Auto => "auto",
        Gating.Manual => "manual",
        _ => false,
    };

    private static JsonObject Head(Repository repository, CardFacts facts)
    {
        var json = new JsonObject
        {
            ["_id"] = repository.PublicId,
            ["id"] = repository.Id.Id,
            ["private"] = repository.IsPrivate,
            ["tags"] = new JsonArray([.. facts.Tags.Select(t => (JsonNode)t)]),
            ["downloads"] = 0,
            ["likes"] = 0,
        };
        if (repository.Id.Type is RepoType.Model)
        {
            json["modelId"] = repository.Id.Id;
            if (facts.PipelineTag is { } task)
            {
                json["pipeline_tag"] = task;
            }

            if (facts.Library is { } library)
            {
                json["library_name"] = library;
            }
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
