using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Vizsla.Testing;
using Vizsla.Testing.Hub;

namespace Vizsla.HubServer.Tests.Recorded;

/// <summary>Bytes by their SHA-256: those of the golden folder, and those that the README's rule makes.</summary>
internal static class KnownContents
{
    private const int Sample = 512;
    private const long Largest = 4_000_000;

    private static readonly Lazy<Dictionary<string, byte[]>> All = new(Collect);

    /// <summary>The bytes of a hash; null when nobody has them.</summary>
    public static byte[]? Find(string sha256) => All.Value.GetValueOrDefault(sha256);

    /// <summary>Bytes of the right length that stand for others; equal hashes give equal bytes, others others.</summary>
    public static byte[] StandIn(int count, string sha256) => Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(sha256, (count / sha256.Length) + 1)))[..count];

    private static Dictionary<string, byte[]> Collect()
    {
        var contents = new Dictionary<string, byte[]>();
        void Add(byte[] bytes)
        {
            contents[Convert.ToHexStringLower(SHA256.HashData(bytes))] = bytes;
            contents[Convert.ToHexStringLower(SHA256.HashData(bytes.AsSpan(0, Math.Min(Sample, bytes.Length))))] = bytes[..Math.Min(Sample, bytes.Length)];
        }

        foreach (var folder in new[] { "vit", "hub" }.Select(f => Path.Combine(Golden.Root, f)).Where(Directory.Exists))
        {
            foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(f => new FileInfo(f).Length < Largest))
            {
                Add(File.ReadAllBytes(file));
            }
        }

        foreach (var (count, seed) in new[] { (200_000, "one"), (4000, "bin"), (5000, "p"), (3000, "w"), (2000, "v"), (250_000, "m"), (500, "one"), (100_001, "two"), (10 * 1024 * 1024 + 100, "large") }
            .Concat(Enumerable.Range(0, 12).Select(n => (9000, $"t{n}"))).Concat(Enumerable.Range(1, 9).Select(n => (700, $"u{n}"))).Concat(Enumerable.Range(1, 4).Select(n => (120_000, $"cut{n}.bin"))))
        {
            Add(Noise.Make(count, seed));
        }

        var parts = Noise.Make(250_000, "m");
        foreach (var part in new[] { parts[..100_000], parts[100_000..200_000], parts[200_000..], Noise.Make(100_001, "two")[..100_000], Noise.Make(100_001, "two")[100_000..] })
        {
            Add(part);
        }

        return contents;
    }

    /// <summary>A recorded body as bytes; unknown parts are stood in for, or, when the whole is unknown, it is null.</summary>
    public static byte[]? Body(JsonNode? body, string? mediaType, Func<string, string> mapped) => body switch
    {
        null => [],
        JsonValue text => Encoding.UTF8.GetBytes(mapped((string)text!)),
        JsonObject map when map["json"] is { } json => Encoding.UTF8.GetBytes(mapped(Filled(json, null)!.ToJsonString())),
        JsonObject map when map["ndjson"] is JsonArray lines => Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => mapped(Filled(l, null)!.ToJsonString()) + "\n"))),
        _ => Find((string)body["sha256"]!),
    };

    private static JsonNode? Filled(JsonNode? node, string? key) => node switch
    {
        JsonObject map when key is "content" or "sample" && map["base64_of"] is { } hidden => JsonValue.Create(Convert.ToBase64String(Content(hidden))),
        JsonObject map when key is "content" && map["text_of"] is { } hidden => JsonValue.Create(Card(hidden)),
        JsonObject map => new JsonObject(map.Select(p => KeyValuePair.Create(p.Key, Filled(p.Value, p.Key)))),
        JsonArray list => new JsonArray([.. list.Select(v => Filled(v, null))]),
        _ => node?.DeepClone(),
    };

    // A card that nobody has is stood in for by one whose metadata is well.
    private static string Card(JsonNode hidden) => Find((string)hidden["sha256"]!) is { } known ? Encoding.UTF8.GetString(known) : $"---\nlicense: mit\n---\n{hidden["sha256"]}\n";

    private static byte[] Content(JsonNode hidden) => Find((string)hidden["sha256"]!) ?? StandIn((int)hidden["bytes"]!, (string)hidden["sha256"]!);
}
