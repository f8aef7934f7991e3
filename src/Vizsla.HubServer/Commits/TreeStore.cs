using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using Microsoft.Data.Sqlite;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Commits;

/// <summary>Folders of commits, stored once each under Git's id: a commit writes only the folders on the way to what it changes.</summary>
internal sealed class TreeStore
{
    private const int MaxCached = 2000;

    private readonly ConcurrentDictionary<string, IReadOnlyList<TreeItem>> _cache = new();

    /// <summary>The tree without files.</summary>
    public static readonly string EmptyTree = GitIds.Object("tree", []);

    /// <summary>The rows of a folder, by name.</summary>
    public IReadOnlyList<TreeItem> Items(SqliteConnection connection, string tree)
    {
        if (tree == EmptyTree)
        {
            return [];
        }

        if (_cache.TryGetValue(tree, out var cached))
        {
            return cached;
        }

        var items = Decode(connection.Scalar<byte[]>("SELECT entries FROM trees WHERE id = $id", ("$id", tree)) ?? throw new InvalidOperationException($"The database lacks tree {tree}."));
        if (_cache.Count >= MaxCached)
        {
            _cache.Clear();
        }

        return _cache[tree] = items;
    }

    /// <summary>The file or folder at a path; null when there is none. The empty path is the root.</summary>
    public TreeItem? Find(SqliteConnection connection, string root, string path)
    {
        var item = new TreeItem("", root, 0, null, IsFolder: true);
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!item.IsFolder || Items(connection, item.Oid).FirstOrDefault(i => i.Name == part) is not { } next)
            {
                return null;
            }

            item = next;
        }

        return item;
    }

    /// <summary>Everything below a folder, folders before what they hold.</summary>
    /// <param name="connection">The database.</param>
    /// <param name="tree">The folder.</param>
    /// <param name="prefix">What paths begin with: empty, or a path with a slash at its end.</param>
    public IEnumerable<(string Path, TreeItem Item)> Walk(SqliteConnection connection, string tree, string prefix = "")
    {
        foreach (var item in Items(connection, tree))
        {
            yield return (prefix + item.Name, item);
            if (item.IsFolder)
            {
                foreach (var below in Walk(connection, item.Oid, prefix + item.Name + "/"))
                {
                    yield return below;
                }
            }
        }
    }

    /// <summary>A tree with changes: paths to new files, or to null for removal.</summary>
    /// <returns>The new root.</returns>
    public string Apply(SqliteConnection connection, string root, IEnumerable<KeyValuePair<string, TreeItem?>> changes)
    {
        var items = Items(connection, root).ToDictionary(i => i.Name);
        foreach (var group in changes.GroupBy(c => c.Key.Split('/', 2)[0]))
        {
            var below = group.Where(c => c.Key.Contains('/', StringComparison.Ordinal)).Select(c => KeyValuePair.Create(c.Key[(group.Key.Length + 1)..], c.Value)).ToList();
            foreach (var (_, item) in group.Where(c => !c.Key.Contains('/', StringComparison.Ordinal)))
            {
                if (item is null)
                {
                    items.Remove(group.Key);
                }
                else
                {
                    items[group.Key] = item with { Name = group.Key };
                }
            }

            if (below.Count > 0)
            {
                // A file where a folder is to be gives way to it.
                var tree = items.TryGetValue(group.Key, out var old) && old.IsFolder ? old.Oid : EmptyTree;
                var changed = Apply(connection, tree, below);
                if (changed == EmptyTree)
                {
                    items.Remove(group.Key);
                }
                else
                {
                    items[group.Key] = new TreeItem(group.Key, changed, 0, null, IsFolder: true);
                }
            }
        }

        return Write(connection, items.Values);
    }

    private static string Write(SqliteConnection connection, IEnumerable<TreeItem> items)
    {
        var rows = items.OrderBy(i => i.Name, StringComparer.Ordinal).ToList();
        var id = GitId(rows);
        if (rows.Count > 0)
        {
            connection.Run("INSERT OR IGNORE INTO trees VALUES ($id, $entries)", ("$id", id), ("$entries", Encode(rows)));
        }

        return id;
    }

    // Git orders a folder as if its name ended in a slash, by bytes.
    private static string GitId(IReadOnlyList<TreeItem> items)
    {
        using var tree = new MemoryStream();
        foreach (var item in items.OrderBy(i => i.Name + (i.IsFolder ? "/" : ""), Utf8Order.Instance))
        {
            tree.Write(Encoding.UTF8.GetBytes($"{(item.IsFolder ? "40000" : "100644")} {item.Name}\0"));
            tree.Write(Convert.FromHexString(item.Oid));
        }

        return GitIds.Object("tree", tree.ToArray());
    }

    // One row: length of name, name, flags, 20 bytes of id, size, 32 bytes of SHA-256 when large.
    private static byte[] Encode(IReadOnlyList<TreeItem> items)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        foreach (var item in items)
        {
            writer.Write(item.Name);
            writer.Write((byte)((item.IsFolder ? 1 : 0) | (item.LargeOid is null ? 0 : 2)));
            writer.Write(Convert.FromHexString(item.Oid));
            writer.Write(item.Size);
            if (item.LargeOid is { } large)
            {
                writer.Write(Convert.FromHexString(large));
            }
        }

        return stream.ToArray();
    }

    private static List<TreeItem> Decode(byte[] bytes)
    {
        using var stream = new MemoryStream(bytes);
        using var reader = new BinaryReader(stream, Encoding.UTF8);
        var items = new List<TreeItem>();
        while (stream.Position < stream.Length)
        {
            var name = reader.ReadString();
            var flags = reader.ReadByte();
            var oid = Convert.ToHexStringLower(reader.ReadBytes(20));
            var size = BinaryPrimitives.ReadInt64LittleEndian(reader.ReadBytes(8));
            items.Add(new TreeItem(name, oid, size, (flags & 2) != 0 ? Convert.ToHexStringLower(reader.ReadBytes(32)) : null, (flags & 1) != 0));
        }

        return items;
    }

    private sealed class Utf8Order : IComparer<string>
    {
        public static readonly Utf8Order Instance = new();

        public int Compare(string? x, string? y) => Encoding.UTF8.GetBytes(x!).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y!));
    }
}

/// <summary>A row of a tree: a file or a folder by its name.</summary>
/// <param name="Name">One segment.</param>
/// <param name="Oid">Git's id of the blob, the pointer or the tree.</param>
/// <param name="Size">Bytes of the file; 0 for a folder.</param>
/// <param name="LargeOid">SHA-256 of a large file; null for others.</param>
/// <param name="IsFolder">True for a folder.</param>
internal sealed record TreeItem(string Name, string Oid, long Size, string? LargeOid, bool IsFolder)
{
    /// <summary>A regular file.</summary>
    public static TreeItem File(string name, string oid, long size) => new(name, oid, size, null, false);

    /// <summary>A large file.</summary>
    public static TreeItem Large(string name, string oid, long size) => new(name, GitIds.Blob(GitIds.Pointer(oid, size)), size, oid, false);
}
