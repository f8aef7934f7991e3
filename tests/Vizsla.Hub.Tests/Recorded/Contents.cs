using System.Text;
using Vizsla.Testing.Hub;

namespace Vizsla.Hub.Tests.Recorded;

/// <summary>The bytes behind the hashes of the recordings, by the rules of their README.</summary>
internal static class Contents
{
    private static readonly string[] LargeEndings = ["7z", "arrow", "bin", "bz2", "ckpt", "ftz", "gz", "h5", "joblib", "mlmodel", "model", "msgpack", "npy", "npz", "onnx", "ot", "parquet", "pb", "pickle", "pkl", "pt", "pth", "rar", "safetensors", "tar", "tflite", "tgz", "wasm", "xz", "zip", "zst"];

    /// <summary>The .gitattributes of a new model repository.</summary>
    public static byte[] Attributes { get; } = Encoding.UTF8.GetBytes(string.Concat(
        LargeEndings.Select(e => $"*.{e}").Concat(["*.lfs.*", "saved_model/**/*", "*.tar.*", "*tfevents*"]).Select(r => $"{r} filter=lfs diff=lfs merge=lfs -text\n")));

    /// <summary>25,000,000 bytes of noise.</summary>
    public static byte[] Large { get; } = Noise.Make(25_000_000, "large");

    /// <summary>Everything that an answer of the scenarios holds.</summary>
    public static IEnumerable<byte[]> All { get; } =
    [
        [],
        Attributes,
        Noise.Make(200_000, "one"),
        Noise.Make(4_000, "bin"),
        Noise.Make(5_000, "p"),
        Noise.Make(9_000, "t1"),
        Noise.Make(9_000, "t4"),
        Lines("a line of text", 3000),
        Lines("one", 50),
        Lines("two", 500),
        .. new[] { "cut1.bin", "cut2.bin", "cut3.bin", "cut4.bin" }.Select(name => Noise.Make(120_000, name)),
        Large,
        [.. Large.Reverse()],
        Large[1..],
        Large[10_485_760..],
    ];

    /// <summary>A line, many times.</summary>
    public static byte[] Lines(string line, int count) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(line + "\n", count)));

    /// <summary>UTF-8.</summary>
    public static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);
}
