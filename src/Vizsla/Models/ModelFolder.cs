using System.Text.Json.Nodes;
using Vizsla.Hub.Cache;
using Vizsla.Models.Weights;
using Vizsla.Transforms;

namespace Vizsla.Models;

/// <summary>A model as a folder of files.</summary>
internal static class ModelFolder
{
    private const int DefaultImageSize = 224;
    private static readonly string[] _processorFiles = ["preprocessor_config.json", "processor_config.json"];

    /// <summary>Loads weights into a network and draws a head that they do not hold.</summary>
    /// <exception cref="ModelLoadException">A weight outside the head is missing or of another shape, or the head is and may not be replaced.</exception>
    /// <param name="network">The network.</param>
    /// <param name="location">Where the weights are.</param>
    /// <param name="ignoreMismatchedSizes">Whether a head of other classes is replaced.</param>
    /// <param name="hasOwnClasses">Whether the classes are those of the model's own configuration, so that another head contradicts it.</param>
    public static LoadReport LoadWeights(ClassificationNetwork network, ModelLocation location, bool ignoreMismatchedSizes, bool hasOwnClasses = false)
    {
        using var source = location.OpenWeights();
        var report = WeightLoader.Load(network, source, location.Name);
        var head = network.HeadParameterNames.Concat(network.NewWithHead).ToHashSet(StringComparer.Ordinal);
        if (report.NewlyInitialized.Count(n => !head.Contains(n)) is > 0 and var foreign)
        {
            throw new ModelLoadException(Misfit(network, report, head, foreign), report);
        }

        if (hasOwnClasses && network.HeadParameterNames.All(report.Missing.Contains))
        {
            throw NoHead(location.Name, report);
        }

        if (report.Mismatched.Count > 0 && !ignoreMismatchedSizes)
        {
            throw new ModelLoadException(hasOwnClasses ? Contradiction(network, report) : report.SizeMismatchMessage!, report);
        }

        if (report.NewlyInitialized.Count > 0)
        {
            network.InitializeHead();
        }

        return report;
    }

    /// <summary>The files of a folder that a model is read from, in a fixed order.</summary>
    public static IEnumerable<string> Files(string folder) => Directory.EnumerateFiles(folder)
        .Where(f => Path.GetFileName(f) is var name && (_processorFiles.Contains(name) || name == ModelConfiguration.FileName
            || name.StartsWith("model", StringComparison.Ordinal) || name.StartsWith("adapter", StringComparison.Ordinal) || name.StartsWith("pytorch_model", StringComparison.Ordinal)))
        .Order(StringComparer.Ordinal);

    /// <summary>Those of them that hold weights.</summary>
    public static IEnumerable<string> WeightFiles(string folder) => Files(folder).Where(f => Path.GetExtension(f) is ".safetensors" or ".bin");

    /// <summary>What is said of a model without a classifier, which would answer at random.</summary>
    public static ModelLoadException NoHead(string name, LoadReport report) =>
        new($"'{name}' has no classifier, only an encoder, whose answers would be random. Train one on classes of your own, or take a checkpoint that was trained to classify.", report);

    /// <summary>The processor of a model: its file's, else timm's settings, else the family's own at the model's image size.</summary>
    /// <exception cref="ModelLoadException">A file says something invalid.</exception>
    public static ImageProcessor Processor(ModelConfiguration configuration, string? folder)
    {
        try
        {
            if (folder is not null && _processorFiles.Any(f => File.Exists(Path.Combine(folder, f))))
            {
                return ImageProcessor.FromPretrained(folder);
            }

            if (configuration.IsTimm)
            {
                // Before 2023 timm wrote these keys beside the others.
                return ImageProcessor.FromTimm(configuration.Json["pretrained_cfg"] as JsonObject ?? configuration.Json);
            }
        }
        catch (InvalidDataException e)
        {
            throw new ModelLoadException(e.Message, e);
        }

        return OfFamily(configuration);
    }

    /// <summary>What transformers' processor of the family does by default, at the size that the network was made for.</summary>
    private static ImageProcessor OfFamily(ModelConfiguration configuration)
    {
        var defaults = ProcessorFamily.ByModelType.TryGetValue(configuration.ModelType, out var family) ? ProcessorFamily.All[family].Defaults : new ImageProcessor();
        var vision = configuration.Section("vision_config");
        var sized = vision.Json["image_size"] is null ? configuration : vision;
        if (sized.Json["image_size"] is null)
        {
            return defaults;
        }

        var size = sized.Size("image_size", DefaultImageSize);
        return defaults.DoCenterCrop == true && defaults.CropSize is not null
            ? defaults with { Size = Math.Min(size.Height, size.Width), CropSize = size }
            : defaults with { Size = defaults.CropPct is null ? size : Math.Min(size.Height, size.Width) };
    }

    /// <summary>Copies the processor's file as it is, where there is one.</summary>
    /// <returns>Whether there was one.</returns>
    public static bool CopyProcessor(string? from, string to)
    {
        var name = from is null ? null : Array.Find(_processorFiles, f => File.Exists(Path.Combine(from, f)));
        if (name is null)
        {
            return false;
        }

        WriteText(Path.Combine(to, name), File.ReadAllText(Path.Combine(from!, name)));
        return true;
    }

    /// <summary>Writes configuration and weights.</summary>
    public static void Save(ClassificationNetwork network, string folder)
    {
        SaveConfiguration(network, folder);
        SafetensorsFile.Write(Path.Combine(folder, "model.safetensors"), network.State().Select(s => KeyValuePair.Create(network.NameInFile(s.Name), s.Value)));
        foreach (var stale in Directory.EnumerateFiles(folder, "model-*-of-*.safetensors").Append(Path.Combine(folder, "model.safetensors.index.json")))
        {
            File.Delete(stale);
        }
    }

    /// <summary>Writes the configuration alone.</summary>
    public static void SaveConfiguration(ClassificationNetwork network, string folder)
    {
        Directory.CreateDirectory(folder);
        var configuration = network.Configuration.Clone();
        if (configuration.IsTimm)
        {
            // timm takes the number from the root; transformers' TimmWrapper fails where the arguments repeat it.
            (configuration.Json["model_args"] as JsonObject)?.Remove("num_classes");
        }
        else
        {
            configuration.Set("architectures", new JsonArray(network.ClassName));
            configuration.Set("dtype", "float32");
            configuration.Set("torch_dtype", null);
            configuration.Set("transformers_version", configuration.Text("transformers_version", ModelConfiguration.WrittenVersion));
        }

        WriteText(Path.Combine(folder, ModelConfiguration.FileName), configuration.ToJson());
    }

    /// <summary>Writes a text aside and puts it in place.</summary>
    internal static void WriteText(string path, string text) => AtomicFile.Write(path, text, flush: true);

    private static string Contradiction(ClassificationNetwork network, LoadReport report)
    {
        var (name, fileShape, ownShape) = report.Mismatched[0];
        return $"The {ModelConfiguration.FileName} of '{report.Source}' says {network.Configuration.LabelCount} classes, but its weights are for {fileShape[0]}: "
            + $"'{name}' is [{string.Join(", ", fileShape)}], expected [{string.Join(", ", ownShape)}]. Fix {(network.Configuration.IsTimm ? "num_classes" : "id2label")}, or give classes of your own and allow the head to be replaced.";
    }

    private static string Misfit(ClassificationNetwork network, LoadReport report, HashSet<string> head, int foreign)
    {
        var total = network.State().Count(s => !head.Contains(s.Name) && !s.Name.EndsWith(WeightLoader.BatchCount, StringComparison.Ordinal));
        var examples = report.NewlyInitialized.Where(n => !head.Contains(n)).Take(3).Select(n => $"'{n}'");
        return $"The weights at '{report.Source}' are not those of {network.ClassName}: of its {total} weights outside the head {foreign} are missing or of another shape "
            + $"({string.Join(", ", examples)}{(foreign > 3 ? ", ..." : "")}), and {report.Unexpected.Count} of the file are not its own. Use the config.json that belongs to these weights.";
    }
}
