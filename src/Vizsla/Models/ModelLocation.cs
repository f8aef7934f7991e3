using Vizsla.Hub;
using Vizsla.Models.Timm;
using Vizsla.Models.Weights;
using Vizsla.Primitives;

namespace Vizsla.Models;

/// <summary>Where a model was found: its configuration, and what opens its weights.</summary>
/// <param name="Name">The name or folder that was asked for.</param>
/// <param name="Folder">The folder beside whose files a processor may lie; null where only a weight file was given.</param>
/// <param name="Configuration">The configuration, of the file or of timm's table.</param>
/// <param name="OpenWeights">Opens the weights.</param>
internal sealed record ModelLocation(string Name, string? Folder, ModelConfiguration Configuration, Func<WeightSource> OpenWeights)
{
    private static readonly string[] _weightExtensions = [".safetensors", ".bin", ".pth", ".pt"];

    /// <summary>Finds a model by a folder, a Hub name in this machine's cache, a bare name of timm's, or a weight file.</summary>
    /// <param name="name">What was asked for.</param>
    /// <param name="revision">Branch, tag or commit of a Hub name.</param>
    /// <exception cref="ModelLoadException">There is none; the message says how to fetch it.</exception>
    public static ModelLocation Find(string name, string revision = "main")
    {
        if (Directory.Exists(name))
        {
            return InFolder(name, name);
        }

        if (File.Exists(name))
        {
            return OfFile(name, Path.GetFileNameWithoutExtension(name));
        }

        return HubCache.Find(name, revision) is { } snapshot ? InFolder(name, snapshot)
            : Timm(name) is { } variant ? OfTimm(name, variant, revision)
            : throw new ModelLoadException(Missing(name));
    }

    /// <summary>A bare name of timm's with a weight file.</summary>
    /// <exception cref="ModelLoadException">The name is not known, or there is no such file.</exception>
    public static ModelLocation OfFile(string path, string architecture)
    {
        if (!File.Exists(path))
        {
            throw new ModelLoadException($"There is no weight file '{path}'.");
        }

        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (Timm(architecture) is not { } variant)
        {
            return File.Exists(Path.Combine(folder, ModelConfiguration.FileName))
                ? new ModelLocation(path, folder, ModelConfiguration.Load(folder), () => WeightSource.OpenFile(path))
                : throw new ModelLoadException(
                    $"'{path}' lies beside no {ModelConfiguration.FileName}, and '{architecture}' is no architecture of timm's. Known: {string.Join(", ", TimmVariants.All.Keys)}.{Suggestion.DidYouMean(architecture, TimmVariants.All.Keys)}");
        }

        using var source = WeightSource.OpenFile(path);
        var head = source.Names.FirstOrDefault(n => n == variant.Classifier + ".weight" || n == "timm_model." + variant.Classifier + ".weight");
        var configuration = head is null ? variant.Configuration() : variant.Configuration((int)source.Shape(head)[0]);
        return new ModelLocation(path, null, configuration, () => WeightSource.OpenFile(path));
    }

    /// <summary>A folder that holds a model of this name.</summary>
    public static ModelLocation InFolder(string name, string folder) =>
        new(name, folder, ModelConfiguration.Load(folder), () => WeightSource.Open(folder));

    /// <summary>The repository that holds the weights of a name: of <c>owner/name</c> itself, of timm's bare names timm's; null for a folder, a file and a bare name whose weight file lies here.</summary>
    /// <param name="name">What was asked for.</param>
    public static string? RepositoryOf(string name)
    {
        if (Path.Exists(name))
        {
            return null;
        }

        return Timm(name) is { } variant ? (WeightFile(name) is null ? Tagged(name, variant) : null)
            : name.Contains('/', StringComparison.Ordinal) && RepoId.TryParse(name, RepoType.Model, out _) ? name
            : null;
    }

    private static ModelLocation OfTimm(string name, TimmVariant variant, string revision)
    {
        var tagged = Tagged(name, variant);
        if (HubCache.Find(tagged, revision) is { } snapshot)
        {
            return InFolder(tagged, snapshot);
        }

        return WeightFile(name) is { } file
            ? OfFile(file, variant.Name)
            : throw new ModelLoadException(
                $"The weights of '{name}' are not on this machine: neither '{tagged}' in the Hub cache '{HubCache.Root}' nor a file {Bare(name)}.safetensors here; fetch them with 'vizsla pull --repo {tagged}', give a folder that holds them, or start from random weights.");
    }

    private static string Tagged(string name, TimmVariant variant) =>
        name.Contains('.', StringComparison.Ordinal) ? "timm/" + Bare(name) : variant.HubName;

    private static string? WeightFile(string name) => _weightExtensions.Select(e => Bare(name) + e).FirstOrDefault(File.Exists);

    /// <summary>The line of timm's table for <c>resnet50</c>, <c>resnet50.a1_in1k</c> or <c>timm/resnet50.a1_in1k</c>.</summary>
    private static TimmVariant? Timm(string name) =>
        TimmVariants.All.GetValueOrDefault(Bare(name).Split('.')[0]);

    private static string Bare(string name) => name.StartsWith("timm/", StringComparison.Ordinal) ? name["timm/".Length..] : name;

    private static string Missing(string name)
    {
        if (!RepoId.TryParse(name, RepoType.Model, out _))
        {
            return $"There is no folder '{name}'.";
        }

        var known = TimmVariants.All.Keys.Concat(Architectures.Variants).Distinct(StringComparer.Ordinal);
        return $"'{name}' is neither a folder nor in the Hub cache '{HubCache.Root}'; fetch it with 'vizsla pull --repo {name}', or pass a folder that holds its config.json and model.safetensors.{Suggestion.DidYouMean(Bare(name), known)}";
    }
}
