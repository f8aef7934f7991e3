using System.Diagnostics;
using System.Globalization;
using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Serving;
using Vizsla.Studio.Runs;
using Vizsla.Studio.Trainings;
using Vizsla.Testing;
using Vizsla.Training.Arguments;

namespace Vizsla.Studio.Tests.Trainings;

/// <summary>The queue with real trainings in processes of their own.</summary>
public sealed class TrainingQueueTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StudioOptions _options;
    private readonly List<TrainingQueue> _queues = [];

    public TrainingQueueTests()
    {
        Directory.CreateDirectory(_folder["runs"]);
        _options = new StudioOptions
        {
            Runs = _folder["runs"],
            Training = new(["dotnet", Path.Combine(AppContext.BaseDirectory, "Vizsla.Cli.dll")], new Dictionary<string, string>(), [.. ArgumentTable.KnownNames]),
        };
        foreach (var animal in AnimalPainter.Classes)
        {
            for (ulong i = 0; i < 2; i++)
            {
                using var image = AnimalPainter.Paint(animal, 32, new Rng(i));
                ImageCodec.SavePng(image, _folder.Reserve($"photos/train/{animal}/{i}.png"));
                ImageCodec.SavePng(image, _folder.Reserve($"broken/test/{animal}/{i}.png"));
            }
        }
    }

    public void Dispose()
    {
        _queues.ForEach(q => q.Dispose());
        _folder.Dispose();
    }

    [Fact]
    public async Task Trainings_run_one_after_the_other_and_one_that_fails_says_why_and_holds_nobody_up()
    {
        var queue = Open();
        queue.Add(Form("broken", "first"));
        queue.Add(Form("photos", "second", "--max_steps 1"));
        queue.Add(Form("photos", "third", "--max_steps 1"));
        queue.Advance();
        queue.Advance();

        Assert.Equal([("first", QueueState.Running, 0), ("second", QueueState.Waiting, 1), ("third", QueueState.Waiting, 2)], queue.List().Select(t => (t.Run, t.State, t.Position)));
        queue.Cancel(Id(queue, "second"));
        Assert.Equal(1, queue.List().Single(t => t.Run == "third").Position);
        queue.Restore(Id(queue, "second"));
        queue.Cancel(Id(queue, "third"));
        await EndAsync(queue, "first");
        Assert.Equal(
            (QueueState.Failed, $"'{_folder["broken"]}' has no train split, only test. 'vizsla prepare' makes one, --train_split names another."),
            queue.List().Where(t => t.Run == "first").Select(t => (t.State, t.Reason)).Single());

        queue.Advance();
        await EndAsync(queue, "second");

        Assert.Equal([("third", QueueState.Canceled), ("second", QueueState.Done), ("first", QueueState.Failed)], queue.List().Select(t => (t.Run, t.State)));
        Assert.True(File.Exists(_folder["runs", "second", "model.safetensors"]));
        Assert.Contains(queue.Output(Id(queue, "second"), 100), line => line.Contains("The model, its card", StringComparison.Ordinal));
        var cleared = queue.Clear();
        Assert.Empty(queue.List());
        queue.ShowAgain(cleared);
        Assert.Equal(3, queue.List().Count);
    }

    [Fact]
    public async Task A_training_outlives_the_studio_and_the_next_one_finds_it_stops_it_and_lets_it_go_on()
    {
        var first = Open();
        first.Add(Form("photos", "long", "--max_steps 100000 --save_strategy no"));
        first.Advance();
        first.Add(Form("photos", "next", "--max_steps 1"));
        first.Dispose();

        var library = new RunLibrary(_options, TimeProvider.System);
        var later = Open(library);
        later.Advance();
        Assert.Equal([("long", QueueState.Running), ("next", QueueState.Waiting)], later.List().Select(t => (t.Run, t.State)));
        await UntilAsync(() => library.Find("long")?.State == RunState.Running);
        later.Cancel(Id(later, "long"));
        await EndAsync(later, "long");

        var stopped = later.List().Single(t => t.Run == "long");
        Assert.Equal((QueueState.Stopped, "It stopped after a step, with a checkpoint."), (stopped.State, stopped.Reason));
        Assert.True(later.CanGoOn(stopped));
        later.GoOn(stopped.Id);
        Assert.Equal(["train", "--output", _folder["runs", "long"], "--resume_from_checkpoint", "true"], later.List().Last(t => t.State == QueueState.Waiting).Words);
        Assert.Equal("The run 'long' has no checkpoint to go on from, or is in the queue again already.", Assert.Throws<RefusedException>(() => later.GoOn(stopped.Id)).Message);
    }

    [Fact]
    public async Task A_process_that_is_killed_is_said_to_be_lost_by_a_later_studio_and_to_be_killed_by_its_own()
    {
        var own = Open();
        own.Add(Form("photos", "killed", "--max_steps 100000"));
        own.Advance();
        var number = _folder["runs", ".queue", "00001", TrainingProcess.NumberFile];
        await UntilAsync(() => File.Exists(number) && File.ReadAllText(number).Length > 0);
        using (var process = Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(number), CultureInfo.InvariantCulture)))
        {
            process.Kill();
        }

        await EndAsync(own, "killed");
        Assert.Equal((QueueState.Failed, "The system ended it (signal 9), most likely for lack of memory."), own.List().Select(t => (t.State, t.Reason)).Single());

        File.Delete(_folder["runs", ".queue", "00001", TrainingProcess.EndFile]);
        Assert.Equal(
            (QueueState.Lost, "Its process is gone and did not say why: ended from outside, for lack of memory, or with the computer."),
            Open().List().Select(t => (t.State, t.Reason)).Single());
    }

    [Fact]
    public void A_run_that_is_there_or_waits_is_not_written_over()
    {
        var queue = Open();
        queue.Add(Form("photos", "a"));
        Directory.CreateDirectory(_folder["runs", "b"]);

        foreach (var name in new[] { "a", "b" })
        {
            Assert.Equal($"There is already a run '{name}', or it waits. Choose another name.", Assert.Throws<RefusedException>(() => queue.Add(Form("photos", name))).Message);
        }
    }

    [Fact]
    public void Whoever_reaches_a_studio_without_a_token_starts_nothing()
    {
        _options.Host.Address = System.Net.IPAddress.Any;
        _options.Host.AllowNoToken = true;
        var queue = Open();

        var e = Assert.Throws<RefusedException>(() => queue.Add(Form("photos", "a")));

        Assert.Equal("A training is started only where the studio listens on this computer alone or asks for a token.", e.Message);
        Assert.False(Directory.Exists(_folder["runs", ".queue"]));
    }

    private TrainingQueue Open(RunLibrary? library = null)
    {
        var queue = new TrainingQueue(_options, library ?? new RunLibrary(_options, TimeProvider.System), TimeProvider.System);
        _queues.Add(queue);
        return queue;
    }

    private TrainingForm Form(string dataset, string run, string more = "") => TrainingForm.From([
        new("dataset", _folder[dataset]), new("model", "vit-nano"), new("from_scratch", "true"), new("image_size", "32"), new("per_device_train_batch_size", "2"), new("name", run), new("more", more)]);

    private static string Id(TrainingQueue queue, string run) => queue.List().First(t => t.Run == run).Id;

    private static Task EndAsync(TrainingQueue queue, string run) => UntilAsync(() => queue.List().Single(t => t.Run == run).IsEnded);

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!isSo())
        {
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }
}
