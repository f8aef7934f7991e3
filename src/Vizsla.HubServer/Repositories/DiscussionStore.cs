using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Repositories;

/// <summary>A discussion's row, or a pull request's.</summary>
/// <param name="Number">Counted within the repository, from 1.</param>
/// <param name="Title">One line.</param>
/// <param name="Author">A user's name.</param>
/// <param name="Created">When.</param>
/// <param name="Status"><c>open</c>, <c>draft</c>, <c>closed</c> or <c>merged</c>.</param>
/// <param name="IsPullRequest">Whether it proposes changes; they are at <c>refs/pr/NUMBER</c>.</param>
/// <param name="Merged">The commit that took the changes over; null until then.</param>
internal sealed record Discussion(long Number, string Title, string Author, string Created, string Status, bool IsPullRequest, string? Merged)
{
    /// <summary>Whether it still waits for something.</summary>
    public bool IsOpen => Status is "open" or "draft";
}

/// <summary>What happened in a discussion.</summary>
/// <param name="Id">24 hexadecimal digits.</param>
/// <param name="Type"><c>comment</c>, <c>status-change</c>, <c>commit</c> or <c>title-change</c>.</param>
/// <param name="Author">A user's name.</param>
/// <param name="Created">When.</param>
/// <param name="Data">The rest, as the Hub sends it.</param>
internal sealed record DiscussionEvent(string Id, string Type, string Author, string Created, JsonObject Data);

/// <summary>Discussions and pull requests of repositories; each method works within the transaction of its connection.</summary>
internal sealed class DiscussionStore(TimeProvider time)
{
    private const string Columns = "number, title, author, created, status, is_proposal, merged";

    /// <summary>All discussions of a repository, newest first.</summary>
    public static List<Discussion> List(SqliteConnection connection, Repository repository) =>
        connection.Rows($"SELECT {Columns} FROM discussions WHERE repository = $id ORDER BY number DESC", Row, ("$id", repository.Key));

    /// <summary>One discussion; null when there is none.</summary>
    public static Discussion? Find(SqliteConnection connection, Repository repository, long number) =>
        connection.Rows($"SELECT {Columns} FROM discussions WHERE repository = $id AND number = $number", Row, ("$id", repository.Key), ("$number", number)).FirstOrDefault();

    /// <summary>What happened in a discussion, in order.</summary>
    public static List<DiscussionEvent> Events(SqliteConnection connection, Repository repository, long number) => connection.Rows(
        "SELECT id, type, author, created, data FROM discussion_events WHERE repository = $id AND number = $number ORDER BY sequence",
        r => new DiscussionEvent(r.GetString(0), r.GetString(1), r.GetString(2), r.GetString(3), JsonNode.Parse(r.GetString(4))!.AsObject()),
        ("$id", repository.Key), ("$number", number));

    /// <summary>Opens a discussion.</summary>
    /// <returns>Its number.</returns>
    public long Open(SqliteConnection connection, Repository repository, string title, string author, bool isPullRequest, string status)
    {
        var number = connection.Scalar<long>("SELECT coalesce(max(number), 0) + 1 FROM discussions WHERE repository = $id", ("$id", repository.Key));
        connection.Run(
            $"INSERT INTO discussions (repository, {Columns}) VALUES ($id, $number, $title, $author, $now, $status, $is, NULL)",
            ("$id", repository.Key), ("$number", number), ("$title", title), ("$author", author), ("$now", time.Stamp()), ("$status", status), ("$is", isPullRequest));
        return number;
    }

    /// <summary>Changes title and status.</summary>
    public static void Change(SqliteConnection connection, Repository repository, Discussion changed) => connection.Run(
        "UPDATE discussions SET title = $title, status = $status, merged = $merged WHERE repository = $id AND number = $number",
        ("$title", changed.Title), ("$status", changed.Status), ("$merged", changed.Merged), ("$id", repository.Key), ("$number", changed.Number));

    /// <summary>Appends an event.</summary>
    public DiscussionEvent Add(SqliteConnection connection, Repository repository, long number, string type, string author, JsonObject data)
    {
        var added = new DiscussionEvent(RandomNumberGenerator.GetHexString(24, lowercase: true), type, author, time.Stamp(), data);
        connection.Run(
            "INSERT INTO discussion_events (repository, number, id, type, author, created, data) VALUES ($id, $number, $event, $type, $author, $now, $data)",
            ("$id", repository.Key), ("$number", number), ("$event", added.Id), ("$type", type), ("$author", author), ("$now", added.Created), ("$data", data.ToJsonString()));
        return added;
    }

    /// <summary>Appends a comment.</summary>
    public DiscussionEvent Comment(SqliteConnection connection, Repository repository, long number, string author, string text) =>
        Add(connection, repository, number, "comment", author, new JsonObject { ["edited"] = false, ["hidden"] = false, ["latest"] = new JsonObject { ["raw"] = text } });

    /// <summary>Appends a commit.</summary>
    public DiscussionEvent Commit(SqliteConnection connection, Repository repository, long number, string author, string title, string commit) =>
        Add(connection, repository, number, "commit", author, new JsonObject { ["subject"] = title, ["oid"] = commit });

    private static Discussion Row(SqliteDataReader r) =>
        new(r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetString(4), r.GetBoolean(5), r.IsDBNull(6) ? null : r.GetString(6));
}
