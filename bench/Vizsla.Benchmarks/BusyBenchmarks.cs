using System.Diagnostics;
using System.Globalization;
using Vizsla.Imaging;
using Vizsla.Training.Callbacks;
using Vizsla.Transforms;

namespace Vizsla.Benchmarks;

/// <summary>The program on a machine that others use too, beside itself with threads that wait as libgomp has them wait, and beside one thread.</summary>
internal static class BusyBenchmarks
{
    private const int ClientCount = 16;
    private const int TrainingBatch = 16;

    private static readonly (string Name, int Busy)[] s_conditions = [("idle", 0), ("one core busy", 1), ("twenty busy processes", 20)];

    // libgomp's own number of looks; a number of threads that the user set is not changed by a trial.
    private static readonly (string Name, (string Variable, string? Value)[] Environment)[] s_ways =
    [
        ("before", [("GOMP_SPINCOUNT", "300000"), ("OMP_NUM_THREADS", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture))]),
        ("now", [("GOMP_SPINCOUNT", null), ("OMP_NUM_THREADS", null)]),
        ("one thread", [("GOMP_SPINCOUNT", null), ("OMP_NUM_THREADS", "1")]),
    ];

    private static readonly Dictionary<string, Func<TimeSpan, double>> s_works = new()
    {
        ["forward"] = Forward,
        ["predict"] = duration => Predict("vit-tiny", duration),
        ["serve"] = Serve,
        ["train-vit-tiny"] = duration => Train("vit-tiny", duration),
        ["train-lite0"] = duration => Train("tf_efficientnet_lite0", duration),
    };

    /// <summary>Images per second of each work in each condition, each way in a process of its own, the ways taking turns.</summary>
    /// <param name="args">Seconds of each measurement (5), rounds (3), then conditions (<c>0</c>, <c>1</c>, <c>20</c> busy processes) and names of works; none takes all.</param>
    public static void Compare(string[] args)
    {
        var seconds = args.ElementAtOrDefault(0) ?? "5";
        var rounds = int.Parse(args.ElementAtOrDefault(1) ?? "3", CultureInfo.InvariantCulture);
        var asked = args.Skip(2).ToHashSet();
        var conditions = s_conditions.Where(c => !s_conditions.Any(o => asked.Contains($"{o.Busy}")) || asked.Contains($"{c.Busy}")).ToList();
        var works = s_works.Keys.Where(w => !s_works.Keys.Any(asked.Contains) || asked.Contains(w)).ToList();
        Console.WriteLine($"{Environment.ProcessorCount} cores, {rounds} rounds of {seconds} s, images/s, the median");
        Console.WriteLine($"{"",-24}{"",-16}{string.Concat(s_ways.Select(w => $"{w.Name,12}"))}{"now/before",14}{"now/one",10}");
        foreach (var (name, busy) in conditions)
        {
            using var others = new BusyProcesses(busy);
            foreach (var work in works)
            {
                var rates = s_ways.Select(_ => new List<double>()).ToArray();
                for (var round = 0; round < rounds; round++)
                {
                    for (var way = 0; way < s_ways.Length; way++)
                    {
                        rates[way].Add(Measure(work, seconds, s_ways[way].Environment));
                    }
                }

                var medians = rates.Select(r => r.Order().ElementAt(r.Count / 2)).ToArray();
                Console.WriteLine($"{name,-24}{work,-16}{string.Concat(medians.Select(m => $"{m,12:F2}"))}{medians[1] / medians[0],14:F2}{medians[1] / medians[2],10:F2}");
            }
        }
    }

    /// <summary>Measures one work in this process and prints images per second.</summary>
    /// <param name="args">Name of the work, seconds.</param>
    public static void Work(string[] args) =>
        Console.WriteLine(s_works[args[0]](TimeSpan.FromSeconds(double.Parse(args[1], CultureInfo.InvariantCulture))).ToString("R", CultureInfo.InvariantCulture));

    /// <summary>Keeps a core busy until its input ends.</summary>
    public static void Burn(string[] args)
    {
        var ended = new Thread(() => Console.In.ReadToEnd());
        ended.Start();
        for (var value = 1u; ended.IsAlive;)
        {
            for (var i = 0; i < 1_000_000; i++)
            {
                value = value * 1664525 + 1013904223;
            }
        }
    }

    private static double Measure(string work, string seconds, (string Variable, string? Value)[] environment)
    {
        var start = BusyProcesses.Own("busy-work", work, seconds);
        start.RedirectStandardOutput = true;
        foreach (var (variable, value) in environment)
        {
            start.Environment.Remove(variable);
            if (value is not null)
            {
                start.Environment[variable] = value;
            }
        }

        using var process = Process.Start(start)!;
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var last = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault();
        return double.TryParse(last, CultureInfo.InvariantCulture, out var rate)
            ? rate
            : throw new InvalidOperationException($"'{work}' ended with exit code {process.ExitCode} and said: {text}");
    }

    private static double Forward(TimeSpan duration)
    {
        using var model = ImageClassifier.Create("vit-nano", ["cat", "dog"], imageSize: 32, seed: 1);
        using var picture = new Image(32, 32);
        return Rate(duration, () => model.Predict(picture));
    }

    private static double Predict(string name, TimeSpan duration)
    {
        using var model = ImageClassifier.Create(name, ["cat", "dog"], seed: 1);
        var photo = Photos.Find(null, 1)[0];
        return Rate(duration, () => model.Predict(photo));
    }

    private static double Rate(TimeSpan duration, Action predict)
    {
        for (var i = 0; i < 3; i++)
        {
            predict();
        }

        var (count, watch) = (0, Stopwatch.StartNew());
        for (; watch.Elapsed < duration || count < 3; count++)
        {
            predict();
        }

        return count / watch.Elapsed.TotalSeconds;
    }

    private static double Serve(TimeSpan duration)
    {
        var folder = Directory.CreateTempSubdirectory("vizsla-benchmark").FullName;
        try
        {
            using (var model = ImageClassifier.Create("vit-tiny", ["cat", "dog"], seed: 1))
            {
                model.Save(folder);
            }

            return ServeBenchmarks.LoadAsync(folder, Photos.Find(null, 100), duration, ClientCount).GetAwaiter().GetResult().Rate;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Train(string name, TimeSpan duration)
    {
        var photos = Photos.Find(null, TrainingBatch * 4);
        var root = Directory.CreateTempSubdirectory("vizsla-benchmark").FullName;
        try
        {
            var folder = Directory.CreateDirectory(Path.Combine(root, "photos", "dog")).FullName;
            Array.ForEach(photos, photo => File.Copy(photo, Path.Combine(folder, Path.GetFileName(photo))));
            var dataset = ImageDataset.LoadImageFolder(Path.Combine(root, "photos"), new() { DropLabels = false })["train"];
            var arguments = new TrainingArguments
            {
                OutputDir = Path.Combine(root, "run"), UseCpu = true, PerDeviceTrainBatchSize = TrainingBatch, MaxSteps = 1_000_000, SaveStrategy = SaveStrategy.No,
                LoggingSteps = 1_000_000, Bf16 = false, ReportTo = ["none"],
            };
            var clock = new StepClock(duration);
            using var model = ImageClassifier.Create(name, dataset.ClassNames, seed: 1);
            using var trainer = new Trainer(
                model, arguments,
                dataset.WithTransform(new Compose(new Resize(224, 224), new ToDtype(Scale: true), new Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]))),
                options: new() { Callbacks = [clock] });
            trainer.Train();
            return TrainingBatch * clock.StepsPerSecond;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>Stops a training after some time, and tells its speed without the first two steps.</summary>
    private sealed class StepClock(TimeSpan duration) : TrainerCallback
    {
        private const int FirstSteps = 2;
        private readonly Stopwatch _watch = new();
        private int _steps;

        public double StepsPerSecond => _steps / _watch.Elapsed.TotalSeconds;

        public override void OnStepEnd(TrainerContext context)
        {
            if (context.State.GlobalStep == FirstSteps)
            {
                _watch.Start();
                return;
            }

            _steps += _watch.IsRunning ? 1 : 0;
            if (_watch.Elapsed > duration)
            {
                _watch.Stop();
                context.Control.ShouldTrainingStop = true;
            }
        }
    }
}

/// <summary>Processes that keep cores busy as long as this lives.</summary>
internal sealed class BusyProcesses : IDisposable
{
    private readonly List<Process> _processes = [];

    /// <param name="count">How many.</param>
    public BusyProcesses(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var start = Own("burn");
            start.RedirectStandardInput = true;
            _processes.Add(Process.Start(start)!);
        }
    }

    /// <summary>This program with other arguments.</summary>
    /// <param name="arguments">The arguments.</param>
    public static ProcessStartInfo Own(params string[] arguments) =>
        new(Environment.ProcessPath!, Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(BusyProcesses).Assembly.Location, .. arguments] : arguments);

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            // Its input ends, and so does it.
            process.StandardInput.Close();
            process.WaitForExit();
            process.Dispose();
        }
    }
}
