using Vizsla.Hub;
using Vizsla.Models.Timm;
using Vizsla.Models.Weights;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Models;

/// <summary>Where a model was found: its configuration, and what opens its weights.</summary>
/// <param name="Name">The name or folder that was asked for.</param>
/// <param name="Folder">The folder beside whose files a processor may lie; null where only a weight file was given.</param>
/// <param name="Configuration">The configuration, of the file or of timm's table.</param>
/// <param name="OpenWeights">Opens the weights.</param>
internal sealed record ModelLocation(string Name, string? Folder, ModelConfiguration Configuration, Func<WeightSource> OpenWeights)
{
    /// <summary>The preprocessing that belongs to a weight file; null where a folder or the configuration says it.</summary>
    public ImageProcessor? Processor { get; init; }

    private static readonly string[] _weightExtensions = [".safetensors", ".bin", ".pth", ".pt"];

    /// <summary>Finds a model by a folder, a Hub name in this machine's cache, a bare name of timm's, or a weight file.</summary>
    /// <param name="name">What was asked for.</param>
    /// <param name="revision">Branch, tag or commit of a Hub name.</param>
    /// <exception cref="ModelLoadException">There is none; the message says how to fetch it.</exception>
    public static ModelLocation Find(string name, string revision = "main")
    {
        name = TimmVariants.WithoutScheme(name);
        if (Directory.Exists(name))
        {
            return InFolder(name, name);
        }

        if (File.Exists(name))
        {
            return OfFile(name, Path.GetFileNameWithoutExtension(name));
        }

        return HubCache.Find(name, revision) is { } snapshot ? InFolder(name, snapshot)
            : TimmVariants.Find(name) is var (variant, tag) ? OfTimm(name, variant, tag, revision)
            : throw new ModelLoadException(Missing(name));
    }

    /// <summary>A bare name of timm's with a weight file, or a featurizer of ML.NET's.</summary>
    /// <exception cref="ModelLoadException">The name is not known, or there is no such file.</exception>
    public static ModelLocation OfFile(string path, string architecture)
    {
        if (!File.Exists(path))
        {
            throw new ModelLoadException($"There is no weight file '{path}'.");
        }

        if (path.EndsWith(OnnxFeaturizer.Extension, StringComparison.OrdinalIgnoreCase))
        {
            using var featurizer = OnnxFeaturizer.OpenNetwork(path);
            return new ModelLocation(path, null, featurizer.Configuration, () => OnnxFeaturizer.OpenNetwork(path)) { Processor = OnnxFeaturizer.Processor(path) };
        }

        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (TimmVariants.Find(architecture) is not var (variant, tag))
        {
            return File.Exists(Path.Combine(folder, ModelConfiguration.FileName))
                ? new ModelLocation(path, folder, ModelConfiguration.Load(folder), () => WeightSource.OpenFile(path))
                : throw new ModelLoadException(
                    $"'{path}' lies beside no {ModelConfiguration.FileName}, and '{architecture}' is not an architecture of timm's; Architectures.Variants ('vizsla models') lists the known ones.{Suggestion.DidYouMean(architecture, TimmVariants.All.Keys)}");
        }

        using var source = WeightSource.OpenFile(path);
        var head = source.Names.FirstOrDefault(n => n == variant.Classifier + ".weight" || n == "timm_model." + variant.Classifier + ".weight");
        var configuration = variant.Configuration(head is null ? null : (int)source.Shape(head)[0], variant.HasTag(tag) ? tag : null);
        return new ModelLocation(path, null, configuration, () => WeightSource.OpenFile(path));
    }

    /// <summary>A folder that holds a model of this name.</summary>
    public static ModelLocation InFolder(string name, string folder) =>
        new(name, folder, ModelConfiguration.Load(folder), () => WeightSource.Open(folder));

    /// <summary>The repository that holds the weights of a name: of <c>owner/name</c> itself, of timm's bare names timm's; null for a folder, a file and a bare name whose weight file lies here.</summary>
    /// <param name="name">What was asked for.</param>
    public static string? RepositoryOf(string name)
    {
        name = TimmVariants.WithoutScheme(name);
        if (Path.Exists(name))
        {
            return null;
        }

        return TimmVariants.Find(name) is var (variant, tag) ? (WeightFile(name) is null ? Repository(variant, tag) : null)
            : name.Contains('/', StringComparison.Ordinal) && RepoId.TryParse(name, RepoType.Model, out _) ? name
            : null;
    }

    private static ModelLocation OfTimm(string name, TimmVariant variant, string tag, string revision)
    {
        var tagged = Repository(variant, tag);
        if (tagged is not null && HubCache.Find(tagged, revision) is { } snapshot)
        {
            return InFolder(tagged, snapshot);
        }

        return WeightFile(name) is { } file ? OfFile(file, TimmVariants.Bare(name))
            : tagged is null ? throw new ModelLoadException(
                $"timm publishes no weights of '{name}', and there is no file {TimmVariants.Bare(name)}.safetensors here; start from random weights, or give a folder that holds them.")
            : throw new ModelLoadException(
                $"The weights of '{name}' are not on this machine: neither '{tagged}' in the Hub cache '{HubCache.Root}' nor a file {TimmVariants.Bare(name)}.safetensors here; fetch them with HubClient.SnapshotDownloadAsync ('vizsla pull --repo {tagged}'), give a folder that holds them, or start from random weights.");
    }

    /// <summary>The repository of a tag; of one that the table does not hold, where timm would publish it.</summary>
    private static string? Repository(TimmVariant variant, string tag) => variant.HasTag(tag) ? variant.HubName(tag) : $"timm/{variant.Name}.{tag}";

    private static string? WeightFile(string name) => _weightExtensions.Select(e => TimmVariants.Bare(name) + e).FirstOrDefault(File.Exists);

    private static string Missing(string name)
    {
        if (!RepoId.TryParse(name, RepoType.Model, out _))
        {
            return $"There is no folder '{name}'.";
        }

        var known = TimmVariants.All.Keys.Concat(Architectures.Variants).Distinct(StringComparer.Ordinal);
        return $"'{name}' is neither a folder nor in the Hub cache '{HubCache.Root}'; fetch it with HubClient.SnapshotDownloadAsync ('vizsla pull --repo {name}'), or pass a folder that holds its config.json and model.safetensors.{Suggestion.DidYouMean(TimmVariants.Bare(name), known)}";
    }
}
