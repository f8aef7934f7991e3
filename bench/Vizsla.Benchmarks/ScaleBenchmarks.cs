using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Vizsla.Datasets.Drawing;
using Vizsla.Distributed;
using Vizsla.Training.Callbacks;
using Vizsla.Transforms;

namespace Vizsla.Benchmarks;

/// <summary>Two processes of one thread beside one process of two: what the exchange of gradients costs, and how much of it the backward pass hides.</summary>
internal static class ScaleBenchmarks
{
    private const int PicturesPerStep = 16;
    private const int FirstMeasured = 3;
    private const int Side = 224;

    private static readonly (string Name, string Launcher, string[] Words)[] s_libraries =
        [("Open MPI", "/usr/bin/mpirun.openmpi", ["--oversubscribe", "--bind-to", "none"]), ("MPICH", "/usr/bin/mpirun.mpich", [])];

    /// <summary>Trains each network alone and in two processes.</summary>
    /// <param name="args">Steps, then networks with their precision, such as <c>vit-base:bf16</c>.</param>
    public static void Compare(string[] args)
    {
        var steps = args.ElementAtOrDefault(0) ?? "6";
        var folder = Directory.CreateTempSubdirectory("vizsla-scale").FullName;
        try
        {
            _ = AnimalPainter.WriteFolder(Path.Combine(folder, "train"), countPerClass: 8, size: Side);
            foreach (var model in args.Length > 1 ? args[1..] : ["vit-tiny:fp32", "vit-base:fp32", "vit-base:bf16", "tf_efficientnet_lite0:fp32"])
            {
                var alone = Run("dotnet", [], 2, folder, model, PicturesPerStep, steps);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model}: 1 process of 2 threads {Rate(alone):F2} images/s"));
                foreach (var (name, launcher, words) in s_libraries.Where(l => File.Exists(l.Launcher)))
                {
                    var shared = Run(launcher, [.. words, "-np", "2", "dotnet"], 1, folder, model, PicturesPerStep / 2, steps);
                    double Of(string key) => shared[key]!.GetValue<double>();
                    Console.WriteLine(string.Create(
                        CultureInfo.InvariantCulture,
                        $"  2 of 1 thread, {name}: {Rate(shared):F2} images/s, {Rate(shared) / Rate(alone):F2} of it; {Of("bytes") / 1e6:F1} MB a step, {Of("sending"):F3} s on their way, {Of("waiting"):F3} s waited for, {1 - (Of("waiting") / Of("sending")):P0} hidden"));
                }
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>One process of a measurement.</summary>
    /// <param name="args">Folder, network with its precision, pictures of this process a step, steps, name of the run folder.</param>
    public static void Work(string[] args)
    {
        using var processes = ProcessGroup.FromEnvironment(Console.Error.WriteLine);
        var (name, precision) = (args[1].Split(':')[0], args[1].Split(':')[1]);
        var arguments = new TrainingArguments
        {
            OutputDir = Path.Combine(args[0], args[4]), UseCpu = true, PerDeviceTrainBatchSize = Number(args[2]), MaxSteps = Number(args[3]), SaveStrategy = SaveStrategy.No,
            LoggingSteps = 1000, Bf16 = precision == "bf16", ReportTo = ["none"], DataloaderNumWorkers = 1,
        };
        var dataset = ImageDataset.LoadImageFolder(args[0], new() { DropLabels = false })["train"]
            .WithTransform(new Compose(new Resize(Side, Side), new ToDtype(Scale: true), new Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])));
        using var model = ImageClassifier.Create(name, dataset.ClassNames, seed: 1);
        var clock = new ExchangeClock();
        using var trainer = new Trainer(model, arguments, dataset, options: new TrainerOptions { Callbacks = [clock], Processes = processes });
        clock.Trainer = trainer;
        trainer.Train();
        if (processes.Rank == 0)
        {
            Console.WriteLine(clock.Result(PicturesPerStep).ToJsonString());
        }
    }

    private static JsonObject Run(string program, string[] words, int threads, string folder, string model, int batch, string steps)
    {
        var start = new ProcessStartInfo(
            program, [.. words, typeof(ScaleBenchmarks).Assembly.Location, "scale-work", folder, model, batch.ToString(CultureInfo.InvariantCulture), steps, $"run-{Guid.NewGuid():N}"]) { RedirectStandardOutput = true };
        (start.Environment["OMP_NUM_THREADS"], start.Environment["OMPI_ALLOW_RUN_AS_ROOT"], start.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"]) = (Invariant($"{threads}"), "1", "1");
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();

        // A launcher that gives its processes a terminal has them begin with its control sequences.
        return output.LastIndexOf('{') is >= 0 and var begin && output.LastIndexOf('}') is var end && end > begin
            ? JsonNode.Parse(output[begin..(end + 1)])!.AsObject()
            : throw new InvalidOperationException($"{program} ended with {process.ExitCode}.");
    }

    private static double Rate(JsonObject result) => result["rate"]!.GetValue<double>();

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>The steps after the first two, of which one shows the order of the gradients.</summary>
    private sealed class ExchangeClock : TrainerCallback
    {
        private readonly List<double> _ends = [];
        private readonly List<(double Sending, double Waiting, double Bytes)> _exchanges = [];
        private readonly Stopwatch _watch = Stopwatch.StartNew();

        public Trainer? Trainer { get; set; }

        public override void OnStepEnd(TrainerContext context)
        {
            if (context.State.GlobalStep >= FirstMeasured - 1)
            {
                _ends.Add(_watch.Elapsed.TotalSeconds);
                _exchanges.Add(Trainer!.Exchange is { } e ? (e.Sending.TotalSeconds, e.Waiting.TotalSeconds, e.Bytes) : default);
            }
        }

        public JsonObject Result(int pictures)
        {
            var (count, first, last) = (_ends.Count - 1, _exchanges[0], _exchanges[^1]);
            return new JsonObject
            {
                ["rate"] = pictures / _ends.Zip(_ends.Skip(1), (a, b) => b - a).Order().ElementAt(count / 2),
                ["sending"] = (last.Sending - first.Sending) / count,
                ["waiting"] = (last.Waiting - first.Waiting) / count,
                ["bytes"] = (last.Bytes - first.Bytes) / count,
            };
        }
    }
}
