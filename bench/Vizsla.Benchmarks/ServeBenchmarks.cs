using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Vizsla.Inference;
using Vizsla.Serving;
using Vizsla.Studio;

namespace Vizsla.Benchmarks;

/// <summary>The model as a service beside the same model in a loop.</summary>
internal static class ServeBenchmarks
{
    private const int ClientCount = 64;
    private const int PhotoCount = 300;
    private const int SampleSeconds = 5;

    /// <summary>Images per second of <c>vizsla predict</c> and of 64 clients at once on the same photos, latencies, memory, errors.</summary>
    /// <param name="args">Seconds of load (60), model folder, folder of photos.</param>
    public static void Serve(string[] args)
    {
        var seconds = args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 60;
        var model = args.ElementAtOrDefault(1) ?? Path.Combine("..", "shared", "data", "weights", "tf_efficientnet_lite0");
        var files = Photos.Find(args.ElementAtOrDefault(2), PhotoCount);
        var before = Predict(model, files);
        using var batches = new BatchMeter();
        var (rate, latencies, errors, memory) = LoadAsync(model, files, TimeSpan.FromSeconds(seconds), ClientCount).GetAwaiter().GetResult();
        var after = Predict(model, files);
        var loop = (before + after) / 2;
        Array.Sort(latencies);
        Console.WriteLine($"in a loop                {loop,8:F1} images/s (before {before:F1}, after {after:F1})");
        Console.WriteLine($"{ClientCount} clients at once       {rate,8:F1} images/s, {rate / loop:P0} of the loop, {latencies.Length} answers in {seconds:F0} s, {errors} errors");
        Console.WriteLine($"time of an answer        {latencies[latencies.Length / 2],8:F0} ms median, {latencies[latencies.Length * 99 / 100]:F0} ms 99th percentile");
        Console.WriteLine($"batches                  {batches.MeanSize,8:F1} pictures on average, {batches.Seconds / seconds:P0} of the time in the model");
        Console.WriteLine($"memory of the process    {string.Join(", ", memory.Select(m => m.ToString("F0", CultureInfo.InvariantCulture)))} MiB, every {SampleSeconds} s");
    }

    private static double Predict(string model, string[] files)
    {
        using var classifier = ImageClassifier.FromPretrained(model);
        var predictor = new PicturePredictor(classifier.Network, classifier.Processor.ToPipeline());
        _ = predictor.Predict(files[..Math.Min(32, files.Length)]).Count();
        var watch = Stopwatch.StartNew();
        var count = predictor.Predict(files).Count();
        return count / watch.Elapsed.TotalSeconds;
    }

    /// <summary>Answers per second of a served model to clients that ask one after another.</summary>
    /// <param name="model">Model folder.</param>
    /// <param name="files">Photos.</param>
    /// <param name="duration">Time of load, after a first answer to each client.</param>
    /// <param name="clientCount">Clients at once.</param>
    internal static async Task<(double Rate, double[] Latencies, int Errors, List<double> Memory)> LoadAsync(string model, string[] files, TimeSpan duration, int clientCount)
    {
        var photos = Array.ConvertAll(files, File.ReadAllBytes);
        await using var server = ServeApplication.Create([new ServedModel("model", model)], new HostOptions(), new ServingOptions());
        await server.StartAsync();
        await ServeApplication.WaitUntilReadyAsync(server);
        var address = new Uri(new Uri(server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()), "/models/model");
        using var client = new HttpClient();
        await Parallel.ForAsync(0, clientCount, async (i, token) => (await client.PostAsync(address, new ByteArrayContent(photos[i % photos.Length]), token)).Dispose());

        var memory = new List<double>();
        using var timer = new Timer(_ => memory.Add(Environment.WorkingSet / 1048576.0), null, TimeSpan.FromSeconds(SampleSeconds), TimeSpan.FromSeconds(SampleSeconds));
        var next = -1;
        var errors = 0;
        var watch = Stopwatch.StartNew();
        var clients = Enumerable.Range(0, clientCount).Select(async _ =>
        {
            var times = new List<double>();
            while (watch.Elapsed < duration)
            {
                var start = Stopwatch.GetTimestamp();
                using var answer = await client.PostAsync(address, new ByteArrayContent(photos[Interlocked.Increment(ref next) % photos.Length]));
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                if (!answer.IsSuccessStatusCode)
                {
                    Interlocked.Increment(ref errors);
                }
            }

            return times;
        });
        var latencies = (await Task.WhenAll(clients)).SelectMany(t => t).ToArray();
        var rate = latencies.Length / watch.Elapsed.TotalSeconds;
        await server.StopAsync();
        return (rate, latencies, errors, memory);
    }
}
