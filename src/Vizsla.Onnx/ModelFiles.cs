using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Hub;
using Vizsla.Hub.Cache;
using Vizsla.Transforms;

namespace Vizsla.Onnx;

/// <summary>The files of an exported model: the network, and beside it or one folder above what Hugging Face keeps about it.</summary>
internal sealed class ModelFiles
{
    private const string Configuration = "config.json";
    private const string Preprocessor = "preprocessor_config.json";
    private const string Below = "onnx";

    // Weights of more than 2 GB stand beside the model.
    private const string DataSuffix = "_data";

    private readonly string _folder;
    private readonly JsonObject? _configuration;

    private ModelFiles(string model, string folder)
    {
        (Model, _folder) = (model, folder);
        var file = Path.Combine(folder, Configuration);
        try
        {
            _configuration = File.Exists(file) ? JsonNode.Parse(File.ReadAllBytes(file))!.AsObject() : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new OnnxModelException($"'{file}' is not a JSON object: {e.Message}", e);
        }
    }

    /// <summary>Path of the network.</summary>
    public string Model { get; }

    /// <summary>HF: <c>problem_type</c> of the configuration, without one of the file; null where it is not said.</summary>
    public string? ProblemType(IReadOnlyDictionary<string, string> metadata) =>
        _configuration is null ? metadata.GetValueOrDefault("problem_type") : _configuration["problem_type"]?.GetValue<string>();

    /// <summary>What <see cref="Find"/> needs of a repository.</summary>
    /// <param name="files">Paths of all its files.</param>
    /// <param name="fileName">Which network is taken.</param>
    public static IEnumerable<string> Needed(IReadOnlyList<string> files, string fileName)
    {
        string[] models = [$"{Below}/{fileName}", fileName];
        var model = Array.Find(models, files.Contains);
        return files.Where(f => f is Configuration or Preprocessor || f == model || f == model + DataSuffix);
    }

    /// <summary>Finds them from a folder, a file, or the name of a repository in the Hub's cache.</summary>
    /// <exception cref="OnnxModelException">There is no such file.</exception>
    public static ModelFiles Find(string path, string fileName)
    {
        if (!Path.Exists(path))
        {
            path = Snapshot(path) ?? throw new OnnxModelException(
                $"'{path}' is neither a file nor a folder, nor in the Hub cache '{HubOptions.FromEnvironment().CacheDirectory}'. Fetch it with LoadAsync, or give the folder of an exported model.");
        }

        if (File.Exists(path))
        {
            var beside = Path.GetDirectoryName(Path.GetFullPath(path))!;
            var above = Path.GetDirectoryName(beside);
            return new ModelFiles(path, !File.Exists(Path.Combine(beside, Configuration)) && above is not null && Path.GetFileName(beside) == Below ? above : beside);
        }

        string[] places = [Path.Combine(path, Below, fileName), Path.Combine(path, fileName)];
        return Array.Find(places, File.Exists) is { } found
            ? new ModelFiles(found, path)
            : throw new OnnxModelException($"'{path}' holds neither {Below}/{fileName} nor {fileName}. Export the model into it first.");
    }

    private static string? Snapshot(string name)
    {
        if (!RepoId.TryParse(name, RepoType.Model, out var repo))
        {
            return null;
        }

        var cache = new RepoCache(HubOptions.FromEnvironment().CacheDirectory, repo!);
        return cache.Resolve(HubClient.DefaultRevision) is { } commit && Directory.Exists(cache.SnapshotFolder(commit)) ? cache.SnapshotFolder(commit) : null;
    }

    /// <summary>Class names: of the configuration, else of the file.</summary>
    /// <exception cref="OnnxModelException">Neither says them.</exception>
    public IReadOnlyList<string> Labels(IReadOnlyDictionary<string, string> metadata)
    {
        if (_configuration?["id2label"] is JsonObject names && names.All(n => int.TryParse(n.Key, CultureInfo.InvariantCulture, out _)))
        {
            return [.. names.OrderBy(n => int.Parse(n.Key, CultureInfo.InvariantCulture)).Select(n => n.Value!.GetValue<string>())];
        }

        if ((_configuration?["label_names"] ?? _configuration?["pretrained_cfg"]?["label_names"]) is JsonArray timm)
        {
            return [.. timm.Select(n => n!.GetValue<string>())];
        }

        return metadata.TryGetValue("id2label", out var stored)
            ? [.. JsonNode.Parse(stored)!.AsArray().Select(n => n!.GetValue<string>())]
            : throw new OnnxModelException($"Neither '{Path.Combine(_folder, Configuration)}' nor '{Model}' says the names of the classes. Give Labels in the options.");
    }

    /// <summary>The preprocessing: of the folder, else of the file.</summary>
    /// <exception cref="OnnxModelException">Neither says it, or it is something invalid.</exception>
    public ImageProcessor Processor(IReadOnlyDictionary<string, string> metadata)
    {
        try
        {
            // timm's own settings first: what stands beside them is made of them for transformers.js.
            if (_configuration?["pretrained_cfg"] is JsonObject settings)
            {
                return ImageProcessor.FromTimm(settings);
            }

            if (File.Exists(Path.Combine(_folder, Preprocessor)))
            {
                return ImageProcessor.FromPretrained(_folder);
            }

            if (metadata.TryGetValue("preprocessor_config", out var stored))
            {
                var own = JsonNode.Parse(stored)!.AsObject();
                return own["pretrained_cfg"] is JsonObject timm ? ImageProcessor.FromTimm(timm) : ImageProcessor.FromJson(own);
            }
        }
        catch (InvalidDataException e)
        {
            throw new OnnxModelException(e.Message, e);
        }

        throw new OnnxModelException($"Neither '{Path.Combine(_folder, Preprocessor)}' nor '{Model}' says how the pictures are prepared. Give Processor in the options.");
    }
}
