using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Vizsla.Analysis;
using Vizsla.Native;
using Vizsla.Training;
using Vizsla.Training.Data;

namespace Vizsla.Benchmarks;

/// <summary>Heads that are solved on few photos: what cross-validation chooses, how well that does on photos that nothing saw, and how long it takes.</summary>
internal static class HeadBenchmarks
{
    /// <summary>Solves a head for each of the ten splits of <c>transfer/ten-splits.json</c>, beside one at the network's own size.</summary>
    /// <param name="args">Model folder, folder that keeps the features from one run to the next.</param>
    public static void Solve(string[] args)
    {
        TorchDefaults.Apply();
        var shared = Path.Combine(Photos.Checkout(), "..", "shared");
        var splits = JsonNode.Parse(File.ReadAllText(Path.Combine(shared, "golden", "transfer", "ten-splits.json")))!;
        string[] files = [.. splits["files"]!.AsArray().Select(f => (string)f!)];
        var classes = files.Select(f => f.Split('/')[1]).Distinct().ToList();
        int[] labels = [.. files.Select(f => classes.IndexOf(f.Split('/')[1]))];
        var sets = Features(args, [.. files.Select(f => Path.Combine(shared, "data", f))]);
        var (own, chosen, slowest) = (new List<double>(), new List<double>(), 0.0);
        foreach (var (test, number) in splits["test"]!.AsArray().Select((rows, number) => (rows!.AsArray().Select(r => (int)r!).ToHashSet(), number)))
        {
            int[] train = [.. Enumerable.Range(0, files.Length).Where(row => !test.Contains(row))];
            var (ownAccuracy, _, _) = Measure(sets[..1], withMirrored: false);
            var (accuracy, seconds, search) = Measure(sets, withMirrored: true);
            own.Add(ownAccuracy);
            chosen.Add(accuracy);
            slowest = Math.Max(slowest, seconds);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"split {number}: {ownAccuracy:F4} at {sets[0].Side} px, {accuracy:F4} with {search.Chosen.Side} px, mirror images {search.Chosen.IsMirrored}, constant {search.Chosen.Constant:g3}, in {seconds:F2} s"));

            // As HeadProbe.Choose goes about it.
            (double Accuracy, double Seconds, HeadSearch Search) Measure(List<(int Side, float[][] Plain, float[][] Mirrored)> offered, bool withMirrored)
            {
                float[][] Of(float[][] rows) => [.. train.Select(row => rows[row])];
                var watch = Stopwatch.StartNew();
                var search = new HeadSearch([.. train.Select(row => labels[row])], classes.Count, CancellationToken.None);
                offered.ForEach(set => search.Try(set.Side, [Of(set.Plain)]));
                var best = offered.Single(set => set.Side == search.Chosen.Side);
                if (withMirrored)
                {
                    _ = search.Try(best.Side, [Of(best.Plain), Of(best.Mirrored)]);
                }

                var head = search.Solve(CancellationToken.None);
                var seconds = watch.Elapsed.TotalSeconds;
                return (test.Average(row => Named(head, best.Plain[row]) == labels[row] ? 1.0 : 0), seconds, search);
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"mean {own.Average():F4} and {chosen.Average():F4}, slowest {slowest:F2} s"));
    }

    private static int Named(LogisticRegression head, float[] features)
    {
        var scores = head.Probabilities(Array.ConvertAll(features, x => (double)x));
        return Array.IndexOf(scores, scores.Max());
    }

    private static List<(int Side, float[][] Plain, float[][] Mirrored)> Features(string[] args, string[] files)
    {
        var folder = Directory.CreateDirectory(args.ElementAtOrDefault(1) ?? Path.Combine(Path.GetTempPath(), "vizsla-benchmark-head")).FullName;
        if (!Directory.EnumerateFiles(folder).Any())
        {
            using var model = ImageClassifier.FromPretrained(args.ElementAtOrDefault(0) ?? Path.Combine(Photos.Checkout(), "..", "shared", "data", "weights", "tf_efficientnet_lite0"));
            var pictures = ImageDataset.LoadImageFolder(Path.GetDirectoryName(Path.GetDirectoryName(files[0]))!).Values.Single().WithTransform(model.Processor.ToPipeline());
            var compute = ComputeContext.Of(new TrainingArguments { UseCpu = true }, model.Network, Collator.Default);
            foreach (var (side, processor) in HeadProbe.Sizes(model, pictures))
            {
                foreach (var isMirrored in new[] { false, true })
                {
                    var rows = HeadProbe.Features(compute, pictures.WithTransform(processor.ToPipeline()), isMirrored, CancellationToken.None);
                    File.WriteAllBytes(Path.Combine(folder, $"{(isMirrored ? "mirrored" : "plain")}-{side}"), MemoryMarshal.AsBytes<float>(rows.SelectMany(row => row).ToArray()));
                }
            }
        }

        return [.. Directory.EnumerateFiles(folder, "plain-*").Select(file => int.Parse(file.Split('-')[^1], CultureInfo.InvariantCulture)).Order()
            .Select(side => (side, Read($"plain-{side}"), Read($"mirrored-{side}")))];

        float[][] Read(string name)
        {
            var numbers = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Path.Combine(folder, name))).ToArray();
            return [.. numbers.Chunk(numbers.Length / files.Length)];
        }
    }
}
