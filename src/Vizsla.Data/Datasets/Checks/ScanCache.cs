using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Vizsla.Datasets.Readers;
using Vizsla.Hub.Cache;
using Vizsla.Imaging;

namespace Vizsla.Datasets.Checks;

/// <summary>Outcomes of earlier scans: one file per scanned folder, valid for the build of the decoder that made them.</summary>
/// <typeparam name="T">What a scan finds out about a file.</typeparam>
internal sealed class ScanCache<T>
{
    // A smaller folder is scanned again sooner than its cache is worth keeping.
    private const int LeastEntriesKept = 100;

    // Described ahead of time: programs of one file and those compiled ahead have no reflection for JSON.
    private static readonly JsonTypeInfo<ScanContent<T>> s_format = (JsonTypeInfo<ScanContent<T>>)(ScanJson.Default.GetTypeInfo(typeof(ScanContent<T>))
        ?? throw new InvalidOperationException($"ScanJson does not name ScanContent<{typeof(T).Name}>."));

    private readonly string _file;
    private readonly ConcurrentDictionary<string, ScanEntry<T>> _entries;
    private int _added;

    private ScanCache(string file, ConcurrentDictionary<string, ScanEntry<T>> entries) => (_file, _entries) = (file, entries);

    private static string Decoder => string.Join(' ', ImageFormats.Versions);

    /// <param name="folder">Where outcomes are kept; null takes <paramref name="kind"/> below <c>vizsla</c> in <c>XDG_CACHE_HOME</c>, or in the platform's folder for it.</param>
    /// <param name="kind">Name of this kind of scan.</param>
    /// <param name="paths">What will be scanned.</param>
    public static ScanCache<T> Load(string? folder, string kind, IReadOnlyList<string> paths)
    {
        var root = paths.Count == 0 ? "" : paths.Select(p => Path.GetDirectoryName(Path.GetFullPath(p)) ?? "").Aggregate(CommonFolder);
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(root)).AsSpan(0, 8));
        var file = Path.Combine(folder ?? DefaultFolder(kind), name + ".json");
        return new(file, Read(file));
    }

    /// <summary>The kept outcome where the file is as it was, else that of <paramref name="check"/>.</summary>
    public T GetOrAdd(string path, Func<string, T> check)
    {
        var info = RealFile.Of(path);
        var (length, ticks) = info.Exists ? (info.Length, info.LastWriteTimeUtc.Ticks) : (-1, 0);
        if (_entries.TryGetValue(info.FullName, out var kept) && kept.Length == length && kept.Ticks == ticks)
        {
            return kept.Outcome;
        }

        var outcome = check(path);
        _entries[info.FullName] = new(length, ticks, outcome);
        Interlocked.Increment(ref _added);
        return outcome;
    }

    /// <summary>Writes what was added; a folder that cannot be written to costs only the time of the next scan.</summary>
    public void Save()
    {
        if (_added == 0 || _entries.Count < LeastEntriesKept)
        {
            return;
        }

        try
        {
            AtomicFile.Write(_file, stream => JsonSerializer.Serialize(stream, new ScanContent<T>(Decoder, new(_entries)), s_format));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next scan reads the pictures again.
        }
    }

    private static string DefaultFolder(string kind) => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } set ? set
            : OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
        "vizsla",
        kind);

    private static ConcurrentDictionary<string, ScanEntry<T>> Read(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            var content = JsonSerializer.Deserialize(stream, s_format);
            return content?.Decoder == Decoder ? new(content.Entries) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return [];
        }
    }

    private static string CommonFolder(string a, string b)
    {
        while (a.Length > 0 && b != a && !b.StartsWith(a + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            a = Path.GetDirectoryName(a) ?? "";
        }

        return a;
    }
}

/// <summary>The outcome of a file that was as long and as old as this.</summary>
internal sealed record ScanEntry<T>(long Length, long Ticks, T Outcome);

/// <summary>What a file of outcomes holds.</summary>
internal sealed record ScanContent<T>(string Decoder, Dictionary<string, ScanEntry<T>> Entries);

[JsonSerializable(typeof(ScanContent<string>))]
[JsonSerializable(typeof(ScanContent<PictureFacts>))]
internal sealed partial class ScanJson : JsonSerializerContext;
