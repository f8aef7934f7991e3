using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Vizsla.Cli;
using Vizsla.Cli.Tests;
using Vizsla.Datasets;
using Vizsla.Datasets.Drawing;
using Vizsla.Datasets.Splits;
using Vizsla.Training;
using Vizsla.Training.Arguments;
using Vizsla.Transforms;

namespace Vizsla.Culture.Tests;

/// <summary>
/// Everything that writes text, once under one culture: prepare, look at, train, evaluate and predict by the command line, then files and messages of the
/// library. What comes out is compared as text in which each number in ASCII, with a fraction behind a point or without, is one '#', so that neither times nor
/// dates matter, and any other digit, separator or sign does.
/// </summary>
internal sealed partial class Workday : IDisposable
{
    // One folder for all cultures: its name is part of messages.
    private static readonly string s_folder = Path.Combine(Path.GetTempPath(), $"vizsla-culture-{Environment.ProcessId}");

    private readonly SortedDictionary<string, string> _outcome = new(StringComparer.Ordinal);

    private static string Photos => Path.Combine(s_folder, "photos");

    private static string Dataset => Path.Combine(s_folder, "Animals");

    private static string Run => Path.Combine(s_folder, "run");

    /// <summary>Does the work and returns what it wrote: by file of the folder, by command, by message.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> RunAsync(string culture)
    {
        using var day = new Workday(CultureInfo.GetCultureInfo(culture));
        await day.CommandsAsync();
        day.Library();
        day.Messages();
        day.Files();
        return day._outcome;
    }

    private readonly (CultureInfo Current, CultureInfo Ui, CultureInfo? Threads) _before =
        (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture, CultureInfo.DefaultThreadCurrentCulture);

    private Workday(CultureInfo culture)
    {
        CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = culture;
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.DefaultThreadCurrentUICulture = culture;
        _ = Directory.CreateDirectory(s_folder);
    }

    public void Dispose()
    {
        (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = (_before.Current, _before.Ui);
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.DefaultThreadCurrentUICulture = _before.Threads;
        Directory.Delete(s_folder, recursive: true);
    }

    private async Task CommandsAsync()
    {
        _ = AnimalPainter.WriteFolder(Photos, countPerClass: 8, size: 32);
        await CommandAsync(0, "prepare", "--images", Photos, "--output", Dataset, "--test_size", "0.25", "--validation_size", "0.2");
        await CommandAsync(0, "dataset", "info", "--dataset", Dataset);
        await CommandAsync(0, "dataset", "stats", "--dataset", Dataset);
        await CommandAsync(0, "dataset", "stats", "--dataset", Dataset, "--format", "json");
        await CommandAsync(0, "dataset", "check", "--dataset", Dataset);
        await CommandAsync(0, "dataset", "check", "--dataset", Dataset, "--format", "json");
        string[] training =
        [
            "train", "--dataset", Dataset, "--model", "vit-nano", "--from_scratch", "--image_size", "32", "--bf16", "false", "--per_device_train_batch_size", "8",
            "--learning_rate", "0.00001", "--warmup_steps", "0.25", "--weight_decay", "0.01", "--logging_steps", "1", "--eval_strategy", "steps", "--eval_steps", "2", "--save_steps", "2",
            "--load_best_model_at_end", "--metric_for_best_model", "accuracy", "--report_to", "tensorboard", "--dataloader_num_workers", "1",
        ];
        await CommandAsync(0, [.. training, "--output", Run, "--max_steps", "4", "--log_format", "text"]);
        await CommandAsync(0, [.. training, "--output", Path.Combine(s_folder, "rates"), "--find_lr", "--max_steps", "12"]);
        await CommandAsync(0, "train", "--output", Run, "--resume_from_checkpoint", Path.Combine(Run, "checkpoint-2"), "--log_format", "json");
        await CommandAsync(0, "evaluate", "--model", Run, "--dataset", Dataset);
        await CommandAsync(0, "evaluate", "--model", Run, "--dataset", Dataset, "--format", "json");
        foreach (var format in new[] { "table", "json", "csv" })
        {
            await CommandAsync(0, "predict", Path.Combine(Dataset, "test"), "--model", Run, "--format", format);
        }

        await CommandAsync(0, "predict", Path.Combine(Dataset, "test"), "--model", Run, "--top", "2", "--output", Path.Combine(s_folder, "sheet.png"));

        await CommandAsync(0, "models");
        await CommandAsync(0, "models", "describe", "vit-nano");
        await CommandAsync(2, "prepare", "--images", Photos, "--output", Dataset, "--seed", "-3");
        await CommandAsync(2, "augment", "photo.jpg", "--count", "-3");
        await CommandAsync(1, "train", "--dataset", Dataset, "--model", Run, "--learning_rate", "-0.5", "--max_grad_norm", "-1.5", "--logging_steps", "-3", "--num_train_epochs", "-2.5", "--adam_epsilon", "-1e-20");
    }

    private async Task CommandAsync(int expected, params string[] words)
    {
        using var run = new ConsoleRun();
        var code = await CommandLine.RunAsync(words, run.Console);
        Assert.True(code == expected, $"{CultureInfo.CurrentCulture.Name}: exit code {code}, expected {expected}: {string.Join(' ', words)}\n{run.ErrorText}");
        _outcome["$ vizsla " + string.Join(' ', words)] = Comparable(WithoutNotices(run.OutText + run.ErrorText));
    }

    private void Library()
    {
        var dataset = ImageDataset.LoadImageFolder(Dataset);
        dataset["train"].ToParquet(Path.Combine(s_folder, "train.parquet"));
        using var model = ImageClassifier.FromPretrained(Run);
        _outcome["prediction"] = string.Join('\n', model.Predict(Directory.EnumerateFiles(Photos, "*.jpg").Order(StringComparer.Ordinal).First()).Select(p => Invariant($"{p.Label} {p.Score:R}")));
        _outcome["python"] = Pipeline.ToPython(new Compose(new Resize(32), new ColorJitter(Brightness: 0.3, Hue: 0.00001), new RandomRotation(-30, 90), new ToDtype(Scale: true)));
    }

    // Each a sentence with numbers below zero, beyond a thousand, with a fraction and with an exponent.
    private void Messages()
    {
        Refused(() => new Compose(
            new ColorJitter(Brightness: -0.25, Hue: 12345.5), new RandomAffine(-3.5, Scale: (-0.5, 1e-20)), new GaussianBlur(-4, -2), new RandAugment(-2, -7), new Resize(-16),
            new RandomResizedCrop(-16) { Scale = (-0.5, 2.5) }, new RandomApply([new Resize(8)], -0.5), new ToDtype(Scale: true), new RandomErasing(-1.5)));
        Refused(() => Pipeline.FromJson("""[{"transform": "RandomRotation", "degrees": -1.5e-7}, {"transform": "Resize", "size": -12.5}, {"transform": "Pad", "padding": [-1, -2, -3]}]"""));
        Refused(() => ImageDataset.LoadImageFolder(Dataset)["train"].Select([-5]));
        Refused(() => ImageDataset.LoadImageFolder(Dataset)["train"].Shard(4, -3));
        Refused(() => ImageDataset.LoadImageFolder(Dataset)["train"].TrainTestSplit(testSize: SplitSize.OfShare(-0.5)));
        using var model = ImageClassifier.Create("vit-nano", ["a", "b"], imageSize: 32, seed: 1);
        var photo = Directory.EnumerateFiles(Photos, "*.jpg").First();
        Refused(() => model.Predict(photo, topK: -3));
        Refused(() => new Trainer(model, new TrainingArguments
        {
            OutputDir = Path.Combine(s_folder, "refused"), LearningRate = -0.5, AdamBeta1 = 1.5, WarmupSteps = -2.5, MaxSteps = -7, PerDeviceTrainBatchSize = -8, LabelSmoothingFactor = 1e-20,
            GradientAccumulationSteps = -4, Seed = -1,
        }).Dispose());
    }

    private void Refused(Func<object> action)
    {
        try
        {
            _ = action();
            Assert.Fail($"nothing was refused as number {_outcome.Count}");
        }
        catch (Exception e) when (e is ArgumentException or TransformException or DatasetException or ArgumentsException or TrainingException)
        {
            _outcome[Invariant($"message {_outcome.Count:000}")] = WithoutCulture(e);
        }
    }

    // ThrowIfLessThan and its like are .NET's own sentences, in which the value stands as the machine's language writes it.
    private static string WithoutCulture(Exception e) =>
        e is ArgumentOutOfRangeException { ActualValue: IFormattable value } ? e.Message.Replace(value.ToString(null, CultureInfo.CurrentCulture), value.ToString(null, CultureInfo.InvariantCulture), StringComparison.Ordinal) : e.Message;

    private void Refused(Action action) => Refused(() =>
    {
        action();
        return "";
    });

    private void Files()
    {
        // In the order of their names, in which a second file of events follows the first.
        foreach (var file in Directory.EnumerateFiles(s_folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var bytes = File.ReadAllBytes(file);
            var name = Comparable(Path.GetRelativePath(s_folder, file)) + (file.Contains("checkpoint", StringComparison.Ordinal) ? Path.GetFileName(Path.GetDirectoryName(file)) : "");
            var text =
                Path.GetFileName(file).Contains("tfevents", StringComparison.Ordinal) ? Comparable(TextOfEvents(bytes))
                : bytes.Contains((byte)0) ? Convert.ToHexString(SHA256.HashData(bytes))
                : Comparable(Encoding.UTF8.GetString(bytes));
            _outcome[name] = _outcome.TryGetValue(name, out var before) ? before + text : text;
        }
    }

    // Of TensorBoard's files the texts in them: numbers are bytes there, and some of these happen to be printable.
    private static string TextOfEvents(byte[] bytes)
    {
        var texts = new List<string>();
        for (var at = 0; at + 12 <= bytes.Length;)
        {
            // TFRecord: length, its checksum, a message, its checksum.
            var length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at));
            AddTexts(bytes.AsSpan(at + 12, length).ToArray(), texts);
            at += 12 + length + 4;
        }

        return string.Join('\n', texts);
    }

    private static void AddTexts(byte[] message, List<string> texts)
    {
        var input = new CodedInputStream(message);
        while (input.ReadTag() is not 0 and var tag)
        {
            if (WireFormat.GetTagWireType(tag) != WireFormat.WireType.LengthDelimited)
            {
                input.SkipLastField();
                continue;
            }

            var value = input.ReadBytes().ToByteArray();
            if (value.All(b => b is >= 32 and < 127 or 9 or 10))
            {
                texts.Add(Encoding.ASCII.GetString(value));
            }
            else
            {
                // Bytes that are no message hold no texts.
                var inner = new List<string>();
                try
                {
                    AddTexts(value, inner);
                    texts.AddRange(inner);
                }
                catch (InvalidProtocolBufferException)
                {
                }
            }
        }
    }

    // Said once a process, on machines that hide their caches.
    private static string WithoutNotices(string text) => string.Join('\n', text.Split('\n').Where(line => !line.StartsWith("Convolutions are computed by ", StringComparison.Ordinal)));

    // A column is as wide as the longest time in it.
    private static string Comparable(string text) => Digits().Replace(Gaps().Replace(text, " "), "#");

    [GeneratedRegex(@"[0-9]+(\.[0-9]+)?")]
    private static partial Regex Digits();

    [GeneratedRegex("[ ─]+")]
    private static partial Regex Gaps();
}
