using System.Text;
using System.Text.Json.Nodes;
using Vizsla.Hub;
using Vizsla.Primitives;
using Vizsla.Runs;
using Vizsla.Testing;
using Vizsla.Testing.Hub;
using Vizsla.Tests.Training;
using Vizsla.Training.Callbacks;

namespace Vizsla.Tests.Runs;

[Collection(TrainsAlone.Name)]
public sealed class PushToHubTests
{
    private static readonly RepoId Repo = RepoId.Model("user/run");

    [Theory]
    [InlineData(HubStrategy.End, "run-end")]
    [InlineData(HubStrategy.EverySave, "run-every_save")]
    [InlineData(HubStrategy.Checkpoint, "run-checkpoint")]
    [InlineData(HubStrategy.AllCheckpoints, "run-all_checkpoints")]
    public async Task Each_strategy_commits_what_the_trainer_of_Python_commits(HubStrategy strategy, string recorded)
    {
        var path = Golden.Require("hub", "trainer.hub-2.4.0.json");
        await using var hub = await OwnHub.StartAsync();
        using var run = new TinyRun();

        await TrainAndPushAsync(run, Pushing(run) with { HubStrategy = strategy }, hub.Client);

        var steps = PythonJson.Parse(await File.ReadAllTextAsync(path))!["steps"]!.AsArray();
        var expected = steps.Last(s => s!["call"]!.GetValue<string>().StartsWith($"{recorded}: trainer.push_to_hub", StringComparison.Ordinal))!["repo"]!;
        Assert.Equal(expected["commits"]!.AsArray().Select(t => t!.GetValue<string>()), await hub.TitlesAsync(Repo));
        var theirs = expected["files"]!.AsObject().Select(f => f.Key).ToList();
        var ours = await hub.FilesAsync(Repo);
        Assert.Equal(Checkpoints(theirs), Checkpoints(ours));
        Assert.Empty(theirs.Where(f => !f.Contains('/', StringComparison.Ordinal) && f != "training_args.bin").Append("training_args.json").Except(ours));
        Assert.DoesNotContain(ours, f => f.Contains("run.lock", StringComparison.Ordinal) || f.Contains(".tmp", StringComparison.Ordinal));

        // A user's checkpoint folders, and nothing of a push, are left beside the run.
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(run.Output()), f => Path.GetFileName(f).StartsWith('.'));
    }

    [Fact]
    public async Task What_is_pushed_is_the_checkpoint_as_it_was_even_when_it_has_gone_since()
    {
        await using var hub = await OwnHub.StartAsync();
        using var run = new TinyRun();
        var weights = new WeightsOfSaves();

        await TrainAndPushAsync(run, Pushing(run) with { SaveTotalLimit = 1, MaxSteps = 6 }, hub.Client, weights);

        var commits = (await hub.Client.ListCommitsAsync(Repo)).Where(c => c.Title.StartsWith("Training in progress", StringComparison.Ordinal)).Reverse().ToList();
        Assert.Equal(3, commits.Count);
        foreach (var (commit, saved) in commits.Zip(weights.Saved))
        {
            var pushed = await hub.Client.DownloadFileAsync(Repo, "model.safetensors", commit.Id);
            Assert.Equal(saved, await File.ReadAllBytesAsync(pushed));
        }

        Assert.Equal(["checkpoint-6"], Directory.EnumerateDirectories(run.Output(), "checkpoint-*").Select(f => Path.GetFileName(f)!));
    }

    [Fact]
    public async Task The_last_checkpoint_of_a_Hub_is_one_to_go_on_from()
    {
        await using var hub = await OwnHub.StartAsync();
        using var run = new TinyRun { Hub = hub.Client };
        var arguments = run.Arguments() with { PushToHub = true, HubModelId = "user/run", HubStrategy = HubStrategy.Checkpoint, HubAlwaysPush = true, LoadBestModelAtEnd = false };
        Assert.True(run.Train(arguments with { OutputDir = run.Output("whole") }));
        Assert.False(run.Train(arguments with { OutputDir = run.Output("stopped") }, stopAfter: 10));

        var pulled = await hub.Make().SnapshotDownloadAsync(Repo, null, new SnapshotOptions { AllowPatterns = ["last-checkpoint/*"], LocalDirectory = run.Output("pulled") });
        Assert.True(run.Train(arguments with { OutputDir = run.Output("elsewhere"), ResumeFromCheckpoint = Path.Combine(pulled, "last-checkpoint"), PushToHub = false }));

        Assert.Equal(RunFingerprint.Of(run.Output("whole")), RunFingerprint.Of(run.Output("elsewhere")));
    }

    [Fact]
    public async Task Epochs_name_the_commits_of_a_run_that_saves_by_epochs_on_the_branch_that_was_asked_for()
    {
        await using var hub = await OwnHub.StartAsync();
        using var run = new TinyRun();

        await TrainAndPushAsync(run, Pushing(run) with { SaveStrategy = SaveStrategy.Epoch, MaxSteps = -1, NumTrainEpochs = 2, HubRevision = "next", HubPrivateRepo = true, HubModelId = null }, hub.Client);

        Assert.Equal(["initial commit", "Training in progress, epoch 1", "Training in progress, epoch 2", "End of training"], await hub.TitlesAsync(Repo, "next"));
        Assert.Equal(["initial commit"], await hub.TitlesAsync(Repo));
        Assert.True((await hub.Client.RepoInfoAsync(Repo)).IsPrivate);
    }

    [Fact]
    public async Task Saving_the_model_pushes_it_too()
    {
        await using var hub = await OwnHub.StartAsync();
        using var run = new TinyRun();
        using (var model = run.Model())
        using (var trainer = new Trainer(model, Pushing(run) with { HubStrategy = HubStrategy.End }, TinyRun.Train(), options: new TrainerOptions { Hub = hub.Client }))
        {
            trainer.Train();
            trainer.SaveModel();
        }

        Assert.Equal(["initial commit", "Model save"], await hub.TitlesAsync(Repo));
    }

    [Fact]
    public async Task A_Hub_that_is_away_fails_no_training_and_is_said()
    {
        using var run = new TinyRun();
        using var away = OwnHub.At(new Uri("http://127.0.0.1:9"), new HubToken("hf_secretword"), run.Output("hf"));
        using var model = run.Model();
        using var trainer = new Trainer(model, Pushing(run), TinyRun.Train(), options: new TrainerOptions { Hub = away });

        trainer.Train();
        var e = await Assert.ThrowsAsync<HubException>(() => trainer.PushToHubAsync());

        Assert.Equal(HubErrorKind.Connection, e.Kind);
        var failures = Events(run).Where(v => v["event"]!.GetValue<string>() == "push_failed").ToList();
        Assert.Equal(["Make the repository", "Training in progress, step 2", "Training in progress, step 4", "End of training"], failures.Select(f => f["message"]!.GetValue<string>()));
        Assert.All(failures, f => Assert.StartsWith("Could not create model 'user/run': no answer from http://127.0.0.1:9 (", f["error"]!.GetValue<string>(), StringComparison.Ordinal));
        Assert.True(File.Exists(Path.Combine(run.Output(), "all_results.json")));
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(run.Output()), f => Path.GetFileName(f).StartsWith('.'));
    }

    [Fact]
    public void Whatever_goes_wrong_in_a_push_fails_no_training()
    {
        using var run = new TinyRun();
        var gone = OwnHub.At(new Uri("http://127.0.0.1:9"), new HubToken("hf_secretword"), run.Output("hf"));
        using var model = run.Model();
        using var trainer = new Trainer(model, Pushing(run), TinyRun.Train(), options: new TrainerOptions { Hub = gone });
        gone.Dispose();

        trainer.Train();

        Assert.Equal(3, Events(run).Count(e => e["event"]!.GetValue<string>() == "push_failed"));
    }

    [Fact]
    public async Task Training_goes_on_while_a_push_hangs()
    {
        using var run = new TinyRun();
        using var release = new ManualResetEventSlim();
        await using var server = new RawServer(_ =>
        {
            release.Wait();
            return new RawAnswer(403, [], []);
        });
        using var hub = OwnHub.At(server.Hub, new HubToken("hf_secretword"), run.Output("hf"));
        using var model = run.Model();
        using var trainer = new Trainer(model, Pushing(run), TinyRun.Train(), options: new TrainerOptions { Callbacks = [new AtTheEnd(release.Set)], Hub = hub });

        trainer.Train();

        Assert.Equal(4, trainer.State.GlobalStep);
        Assert.Equal(3, Events(run).Count(e => e["event"]!.GetValue<string>() == "push_failed"));
    }

    [Fact]
    public async Task A_run_that_was_not_pushed_can_be_pushed_later()
    {
        await using var hub = await OwnHub.StartAsync();
        using var run = new TinyRun();
        using var model = run.Model();
        using var trainer = new Trainer(model, Pushing(run) with { PushToHub = false }, TinyRun.Train(), options: new TrainerOptions { Hub = hub.Client });
        trainer.Train();

        var commit = await trainer.PushToHubAsync("Late");
        var again = await trainer.PushToHubAsync("Later");

        Assert.Equal(["initial commit", "Late"], (await hub.TitlesAsync(Repo)).Take(2));
        Assert.False(commit.IsEmpty);
        Assert.Equal(["events.jsonl"], await ChangedAsync(hub, commit.Commit, again.Commit));
    }

    [Fact]
    public void A_save_during_a_push_is_left_out_and_said()
    {
        using var run = new TinyRun();
        using var release = new ManualResetEventSlim();
        var server = new RawServer(_ =>
        {
            release.Wait();
            return new RawAnswer(403, [], []);
        });
        using var client = OwnHub.At(server.Hub, new HubToken("hf_secretword"), run.Output("hf"));
        Directory.CreateDirectory(run.Output());
        using var publisher = new HubPublisher(Pushing(run) with { HubAlwaysPush = false }, client, new EventLog(run.Output(), TimeProvider.System), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);

        publisher.Push(new TrainerState { GlobalStep = 2 }, "first", checkpoint: null);
        publisher.Push(new TrainerState { GlobalStep = 4 }, "second", checkpoint: null);
        release.Set();
        publisher.Join();
        publisher.Push(new TrainerState { GlobalStep = 6 }, "third", checkpoint: null);
        publisher.Join();

        Assert.Equal(
            [("push_skipped", "second"), ("push_failed", "first"), ("push_failed", "third")],
            Events(run).Select(e => (e["event"]!.GetValue<string>(), e["message"]!.GetValue<string>())));
    }

    [Fact]
    public async Task Pushes_that_wait_when_a_run_ends_do_not_each_ask_a_Hub_that_is_away()
    {
        using var run = new TinyRun();
        using var release = new ManualResetEventSlim();
        var asked = 0;
        await using var server = new RawServer(_ =>
        {
            asked++;
            release.Wait();
            return new RawAnswer(503, [], []);
        });
        using var client = OwnHub.At(server.Hub, new HubToken("hf_secretword"), run.Output("hf"));
        Directory.CreateDirectory(run.Output());
        using var publisher = new HubPublisher(Pushing(run), client, new EventLog(run.Output(), TimeProvider.System), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        foreach (var step in new[] { 2, 4, 6 })
        {
            publisher.Push(new TrainerState { GlobalStep = step }, $"step {step}", checkpoint: null);
        }

        var joining = Task.Run(publisher.Join);
        while (!publisher.IsEnding)
        {
            await Task.Yield();
        }

        release.Set();
        await joining;

        Assert.Equal(["step 2", "step 4", "step 6"], Events(run).Select(e => e["message"]!.GetValue<string>()));
        Assert.All(Events(run), e => Assert.Equal("push_failed", e["event"]!.GetValue<string>()));
        Assert.Equal(6, asked);
        Assert.Empty(Directory.EnumerateDirectories(run.Output()));
    }

    [Fact]
    public async Task The_token_stands_in_no_file_of_the_run_and_of_the_repository()
    {
        await using var hub = await OwnHub.StartAsync();
        using var run = new TinyRun();

        await TrainAndPushAsync(run, Pushing(run) with { HubToken = hub.Token, HubStrategy = HubStrategy.AllCheckpoints }, hub.Client);

        var pushed = await hub.Make().SnapshotDownloadAsync(Repo, null, new SnapshotOptions { LocalDirectory = run.Output("pulled") });
        var files = new[] { run.Output(), pushed }.SelectMany(f => Directory.EnumerateFiles(f, "*", SearchOption.AllDirectories)).ToList();
        Assert.Contains(files, f => Path.GetFileName(f) == "training_args.json");
        Assert.DoesNotContain(files, f => File.ReadAllBytes(f).AsSpan().IndexOf(Encoding.UTF8.GetBytes(hub.Token.Reveal())) >= 0);
        Assert.Equal("<HUB_TOKEN>", PythonJson.Parse(await File.ReadAllTextAsync(Path.Combine(run.Output(), "training_args.json")))!["arguments"]!["hub_token"]!.GetValue<string>());
    }

    [Fact]
    public void Without_a_token_nothing_begins()
    {
        using var run = new TinyRun();
        using var nobody = OwnHub.At(new Uri("http://127.0.0.1:9"), token: null, run.Output("hf"));
        using var model = run.Model();

        var e = Assert.Throws<HubException>(() => new Trainer(model, Pushing(run), TinyRun.Train(), options: new TrainerOptions { Hub = nobody }));

        Assert.Equal("push_to_hub needs an access token: log in with 'vizsla login', set HF_TOKEN, or leave push_to_hub out.", e.Message);
    }

    private static TrainingArguments Pushing(TinyRun run) => run.Arguments() with
    {
        PushToHub = true, HubModelId = "user/run", HubAlwaysPush = true, EvalStrategy = IntervalStrategy.No, LoadBestModelAtEnd = false, MetricForBestModel = null,
        MaxSteps = 4, NumTrainEpochs = 3, SaveSteps = 2,
    };

    private static async Task TrainAndPushAsync(TinyRun run, TrainingArguments arguments, HubClient hub, params TrainerCallback[] callbacks)
    {
        using var model = run.Model();
        using var trainer = new Trainer(model, arguments, TinyRun.Train(), options: new TrainerOptions { Callbacks = callbacks, Hub = hub });
        trainer.Train();
        await trainer.PushToHubAsync();
    }

    private static List<string> Checkpoints(IEnumerable<string> files) =>
        [.. files.Where(f => f.Contains("checkpoint", StringComparison.Ordinal)).Select(f => f.Split('/')[0]).Distinct().Order(StringComparer.Ordinal)];

    private static List<JsonNode> Events(TinyRun run) => [.. File.ReadLines(Path.Combine(run.Output(), "events.jsonl")).Select(line => PythonJson.Parse(line)!)];

    private static async Task<IReadOnlyList<string>> ChangedAsync(OwnHub hub, string before, string after)
    {
        var old = await hub.Client.ListTreeAsync(Repo, before).ToDictionaryAsync(e => e.Path, e => e.Oid);
        return [.. (await hub.Client.ListTreeAsync(Repo, after).ToListAsync()).Where(e => old.GetValueOrDefault(e.Path) != e.Oid && !e.IsFolder).Select(e => e.Path)];
    }

    private sealed class AtTheEnd(Action act) : TrainerCallback
    {
        public override void OnTrainEnd(TrainerContext context) => act();
    }

    private sealed class WeightsOfSaves : TrainerCallback
    {
        public List<byte[]> Saved { get; } = [];

        public override void OnSave(TrainerContext context, string folder) => Saved.Add(File.ReadAllBytes(Path.Combine(folder, "model.safetensors")));
    }
}
