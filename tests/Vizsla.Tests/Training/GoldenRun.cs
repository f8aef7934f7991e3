using System.Text.Json.Nodes;
using Vizsla.Primitives;
using Vizsla.Testing;
using Vizsla.Training.Arguments;
using Vizsla.Transforms;

namespace Vizsla.Tests.Training;

/// <summary>A recorded run of the Python Trainer.</summary>
internal sealed class GoldenRun(string folder)
{
    // HF: v2.Compose of these names in make/trainer.py.
    private static readonly Transform[] ToFloats = [new ToDtype(Scale: true), new Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])];

    public string Name { get; } = Path.GetFileName(folder);

    public string StartFolder { get; } = Path.Combine(folder, "start");

    public string EndWeights { get; } = Path.Combine(folder, "end.safetensors");

    /// <summary>A whole checkpoint in the middle of the run; null where none was kept.</summary>
    public string? CheckpointFolder { get; } = Directory.Exists(folder) ? Directory.EnumerateDirectories(folder, "checkpoint-*").FirstOrDefault() : null;

    /// <summary>All runs of a kind: <c>trainer</c>, in one process, or <c>trainer2</c>, in two.</summary>
    public static IEnumerable<GoldenRun> All(string kind = "trainer") => Directory.Exists(Path.Combine(Golden.Root, kind))
        ? Directory.EnumerateDirectories(Path.Combine(Golden.Root, kind)).Order(StringComparer.Ordinal).Select(f => new GoldenRun(f))
        : [];

    public static GoldenRun Require(string name, string kind = "trainer") => new(Golden.Require(kind, name));

    public JsonNode Read(string file) => PythonJson.Parse(File.ReadAllText(Path.Combine(folder, file)))!;

    public bool Has(string file) => File.Exists(Path.Combine(folder, file));

    public ImageDataset Train() => Dataset("train").WithTransform(Read("data.json")["transform"]!.GetValue<string>() == "augmented" ? Augmented() : Plain());

    public ImageDataset Eval() => Dataset("eval").WithTransform(Plain());

    /// <summary>The recorded arguments; Python's max_steps overrules the epochs that its script also passes.</summary>
    public TrainingArguments Arguments(string outputFolder, params (string Name, JsonNode? Value)[] changes)
    {
        var values = (JsonObject)Read("arguments.json").DeepClone();
        values["output_dir"] = outputFolder;
        values["bf16"] ??= false;
        values["data_rng"] = "torch";
        if (values.ContainsKey("max_steps"))
        {
            values.Remove("num_train_epochs");
        }

        foreach (var (name, value) in changes)
        {
            values[name] = value?.DeepClone();
        }

        return new ArgumentReader().Take(values).Finish();
    }

    private ImageDataset Dataset(string split)
    {
        var data = Read("data.json");
        var rows = data[split]!.AsArray().Select(row => (Golden.RequireData(row![0]!.GetValue<string>().Split('/')), (int)row[1]!.GetValue<long>()));
        return Pictures.OfFiles([.. data["classes"]!.AsArray().Select(c => c!.GetValue<string>())], [.. rows], split);
    }

    private Resize Resize()
    {
        var size = (int)Read("data.json")["image_size"]!.GetValue<long>();
        return new Resize((size, size));
    }

    private Compose Plain() => new([Resize(), .. ToFloats]);

    private Compose Augmented() => new(
    [
        Resize(), new RandomHorizontalFlip(0.4), new RandomVerticalFlip(0.1), new RandomApply([new RandomRotation(0, 90)], 0.5),
        new RandomApply([new ColorJitter(Brightness: 0.3, Hue: 0.1)], 0.3), new RandomApply([new GaussianBlur(5, 9)], 0.3), .. ToFloats,
    ]);
}
