using Vizsla.Export;
using Vizsla.Models;
using Vizsla.Onnx;

namespace Vizsla.Studio.Predictions;

/// <summary>What a model is computed from.</summary>
/// <param name="OnnxFile">Path of the exported file; null computes the weights on libtorch.</param>
/// <param name="Note">One line for who did not say which; null where there is nothing to say.</param>
internal sealed record EngineChoice(string? OnnxFile, string? Note)
{
    private const string Below = "onnx";

    private static readonly EngineChoice s_torch = new(null, null);

    /// <summary>Looks at a model's folder.</summary>
    /// <param name="path">A folder, an exported file, or a name of a Hub, which an exported file is taken of only when <paramref name="engine"/> says so.</param>
    /// <param name="engine">What was asked for.</param>
    /// <param name="precision">Which exported file; <see cref="InferenceEngine.Auto"/> takes float32 alone.</param>
    /// <exception cref="OnnxModelException">An exported file was asked for, and there is none or the weights beside it are newer.</exception>
    public static EngineChoice Of(string path, InferenceEngine engine, OnnxPrecision precision = OnnxPrecision.Float32)
    {
        if (engine == InferenceEngine.Torch || (engine == InferenceEngine.Auto && !Directory.Exists(path)))
        {
            return s_torch;
        }

        if (File.Exists(path))
        {
            return new(path, null);
        }

        var folder = Directory.Exists(path) ? path : HubCache.Find(path)
            ?? throw new OnnxModelException($"'{path}' is neither a file nor a folder, nor in the Hub cache '{HubCache.Root}'.");
        var name = OnnxExport.FileName(precision);
        string[] places = engine == InferenceEngine.Auto ? [Path.Combine(folder, Below, name)] : [Path.Combine(folder, Below, name), Path.Combine(folder, name)];
        if (Array.Find(places, File.Exists) is not { } file)
        {
            return engine == InferenceEngine.Auto
                ? s_torch
                : throw new OnnxModelException($"'{folder}' holds neither {Below}/{name} nor {name}. Export the model into it first.");
        }

        // The files of a Hub's cache are as old as their download.
        if (folder == path && NewerWeights(folder, file) is { } weights)
        {
            return engine == InferenceEngine.Auto
                ? new(null, $"'{file}' is older than '{weights}' beside it and is not used; export the model again to compute it with ONNX Runtime.")
                : throw new OnnxModelException($"'{file}' is older than '{weights}' beside it. Export the model again, or compute its weights with torch.");
        }

        return new(file, engine == InferenceEngine.Auto ? $"Computing '{file}' with ONNX Runtime; --engine torch computes the weights." : null);
    }

    /// <summary>The exported files of a folder, in a fixed order.</summary>
    public static IEnumerable<string> Files(string folder) =>
        Directory.Exists(Path.Combine(folder, Below)) ? Directory.EnumerateFiles(Path.Combine(folder, Below), "*.onnx*").Order(StringComparer.Ordinal) : [];

    private static string? NewerWeights(string folder, string file) => ModelFolder.WeightFiles(folder)
        .Where(weights => File.GetLastWriteTimeUtc(weights) > File.GetLastWriteTimeUtc(file)).Select(Path.GetFileName).FirstOrDefault();
}
