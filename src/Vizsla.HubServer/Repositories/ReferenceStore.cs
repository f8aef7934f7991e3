using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Repositories;

/// <summary>Branches, tags and proposals: full names such as <c>refs/heads/main</c>, and the commits they stand for.</summary>
internal static partial class ReferenceStore
{
    /// <summary>What branches' full names begin with.</summary>
    public const string Heads = "refs/heads/";

    /// <summary>What tags' full names begin with.</summary>
    public const string Tags = "refs/tags/";

    /// <summary>What proposals' full names begin with.</summary>
    public const string Proposals = "refs/pr/";

    /// <summary>All references that begin so, oldest first.</summary>
    public static List<(string Name, string Target)> List(SqliteConnection connection, Repository repository, string prefix) => connection.Rows(
        "SELECT name, target FROM refs WHERE repository = $id AND substr(name, 1, length($prefix)) = $prefix ORDER BY sequence",
        r => (r.GetString(0)[(prefix == Proposals ? 0 : prefix.Length)..], r.GetString(1)), ("$id", repository.Key), ("$prefix", prefix));

    /// <summary>The commit of a full name; null when there is none.</summary>
    public static string? Target(SqliteConnection connection, Repository repository, string name) =>
        connection.Scalar<string>("SELECT target FROM refs WHERE repository = $id AND name = $name", ("$id", repository.Key), ("$name", name));

    /// <summary>Points a full name at a commit.</summary>
    public static void Set(SqliteConnection connection, Repository repository, string name, string target) => connection.Run(
        "INSERT INTO refs (repository, name, target) VALUES ($id, $name, $target) ON CONFLICT (repository, name) DO UPDATE SET target = $target",
        ("$id", repository.Key), ("$name", name), ("$target", target));

    /// <summary>Removes a full name.</summary>
    /// <returns>Whether it was there.</returns>
    public static bool Delete(SqliteConnection connection, Repository repository, string name) =>
        connection.Run("DELETE FROM refs WHERE repository = $id AND name = $name", ("$id", repository.Key), ("$name", name)) > 0;

    /// <summary>The full name of the branch or proposal that a revision names, for committing; null when it names none.</summary>
    public static string? BranchOf(SqliteConnection connection, Repository repository, string revision) => new[]
    {
        Heads + revision,
        revision.StartsWith(Heads, StringComparison.Ordinal) || revision.StartsWith(Proposals, StringComparison.Ordinal) ? revision : null,
    }.FirstOrDefault(name => name is not null && Target(connection, repository, name) is not null);

    /// <summary>The commit of a revision: branch, tag, full name, or the beginning of a commit's id; null when there is none.</summary>
    public static string? Resolve(SqliteConnection connection, Repository repository, string revision)
    {
        foreach (var name in new[] { Heads + revision, Tags + revision, revision })
        {
            if (Target(connection, repository, name) is { } target)
            {
                return target;
            }
        }

        return CommitPrefix().IsMatch(revision)
            ? connection.Scalar<string>("SELECT id FROM commits WHERE repository = $id AND id >= $from AND id < $to ORDER BY id LIMIT 1", ("$id", repository.Key), ("$from", revision), ("$to", revision + "g"))
            : null;
    }

    /// <summary>Why a text cannot name a branch or tag; null when it can.</summary>
    public static string? Fault(string name) =>
        name.Length is 0 or > 200 ? "it is empty or longer than 200 characters"
        : name.Split('/').Any(part => part.Length == 0 || part.StartsWith('.') || part.EndsWith(".lock", StringComparison.Ordinal)) ? "a part of it is empty, begins with '.' or ends with '.lock'"
        : name.Contains("..", StringComparison.Ordinal) || name.Contains("@{", StringComparison.Ordinal) || name.EndsWith('.') || name.Any(c => c <= ' ' || c == 127 || "~^:?*[\\".Contains(c, StringComparison.Ordinal)) ? "it holds a character that Git does not allow"
        : null;

    [GeneratedRegex(@"^[0-9a-f]{7,40}\z")]
    private static partial Regex CommitPrefix();
}
