using System.Globalization;
using Vizsla.Studio.Runs;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Runs;

public sealed class RunLibraryTests : IDisposable
{
    private const string Begin = """{"event": "train_begin", "time": "2026-01-01T10:00:00Z", "step": 0, "epoch": 0, "max_steps": 100}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_running_training_is_followed_as_its_lines_come()
    {
        var library = Library();
        Append("a", Begin + "\n" + Log(10, 2.5));
        var first = library.Find("a")!;

        Append("a", Log(20, 1.5) + """{"event": "log", "time": "2026-01-01T10:00:30Z", "step": 30, "epo""");
        var second = library.Find("a")!;
        Append("a", "ch\": 0.3, \"values\": {\"eval_loss\": 1.25, \"eval_accuracy\": 0.75}}\n");
        var third = library.Find("a")!;

        Assert.Equal([1, 2, 3], [first.Rows.Count, second.Rows.Count, third.Rows.Count]);
        Assert.Equal((RunState.Running, 30, 100), (third.State, third.Step, third.StepCount));
        Assert.Equal(("eval_accuracy", 0.75, 30), (third.BestName, third.BestValue, third.BestStep));
        Assert.Equal(0.3, third.Progress!.Value, 1e-12);
    }

    [Theory]
    [InlineData("""{"event": "train_end", "time": "2026-01-01T10:01:00Z", "step": 100}""", RunState.Done, null)]
    [InlineData("""{"event": "failed", "time": "2026-01-01T10:01:00Z", "step": 100, "reason": "The loss is not a number."}""", RunState.Failed, "The loss is not a number.")]
    [InlineData("""{"event": "stopped", "time": "2026-01-01T10:01:00Z", "step": 100, "reason": "Interrupted."}""", RunState.Stopped, "Interrupted.")]
    public void An_end_says_how(string end, object state, string? reason)
    {
        Append("a", Begin + "\n" + end + "\n");

        var run = Library().Find("a")!;

        Assert.Equal((state, reason), (run.State, run.Reason));
        Assert.Equal(TimeSpan.FromMinutes(1), run.Duration);
    }

    [Fact]
    public void Pushes_to_a_Hub_are_told_with_what_became_of_them()
    {
        Append("a", Begin + "\n" + """
            {"event": "push", "time": "2026-01-01T10:00:10Z", "step": 10, "epoch": 0.1, "message": "Training in progress, step 10", "repo": "ada/pets", "commit": "0123456789abcdef"}
            {"event": "push_failed", "time": "2026-01-01T10:00:20Z", "step": 20, "epoch": 0.2, "message": "Training in progress, step 20", "repo": "ada/pets", "error": "The Hub is away."}
            {"event": "push_skipped", "time": "2026-01-01T10:00:30Z", "step": 30, "epoch": 0.3, "message": "Training in progress, step 30"}

            """);

        var run = Library().Find("a")!;

        Assert.Equal(
            [
                new RunPush(10, Moment(10), "Training in progress, step 10", "pushed", "ada/pets", "0123456789abcdef", null),
                new RunPush(20, Moment(20), "Training in progress, step 20", "failed", "ada/pets", null, "The Hub is away."),
                new RunPush(30, Moment(30), "Training in progress, step 30", "left out", null, null, null),
            ],
            run.Pushes);
        Assert.Equal([null, "The Hub is away.", "The previous push was still in progress."], run.Pushes.Select(p => p.Reason));
        Assert.Empty(run.Rows);

        static DateTimeOffset Moment(int second) => new(2026, 1, 1, 10, 0, second, TimeSpan.Zero);
    }

    [Fact]
    public void A_resumed_run_forgets_what_comes_again()
    {
        Append("a", Begin + "\n" + Log(10, 2.5) + Log(20, 2.0));
        Append("a", """{"event": "train_begin", "time": "2026-01-01T11:00:00Z", "step": 10, "max_steps": 100}""" + "\n" + Log(20, 1.9));

        var run = Library().Find("a")!;

        Assert.Equal([(10, 2.5), (20, 1.9)], run.Rows.Select(r => (r.Step, r["loss"]!.Value)));
    }

    [Theory]
    [InlineData("", "a", "{0}/a")]
    [InlineData("/", "my pets/b", "\"{0}/my pets/b\"")]
    [InlineData("/a", "a", "{0}/a")]
    [InlineData("/a/", "a", "{0}/a")]
    public void Commands_name_the_run_below_the_folder_that_was_typed(string below, string name, string folder)
    {
        Append("a", Begin + "\n");
        Append("my pets/b", Begin + "\n");
        var options = new StudioOptions { Runs = _folder.Path + below, Dataset = "photos" };
        var run = new RunLibrary(options, TimeProvider.System).Find(name)!;

        var commands = RunCommands.Of(run, options).Select(c => c.Command);

        var expected = string.Format(CultureInfo.InvariantCulture, folder, _folder.Path);
        Assert.Equal(
            [
                $"vizsla train --dataset photos --output_dir {expected} --resume_from_checkpoint true",
                $"vizsla evaluate --model {expected} --dataset photos --split test",
                $"vizsla serve --model {expected}",
                $"vizsla report {expected} --output report.html",
            ],
            commands);
    }

    [Fact]
    public void A_quiet_run_without_an_end_has_stopped()
    {
        Append("a", Begin + "\n");
        File.SetLastWriteTimeUtc(_folder["a", "events.jsonl"], new DateTime(2026, 1, 1, 10, 0, 0, DateTimeKind.Utc));

        Assert.Equal(RunState.Stopped, Library().Find("a")!.State);
    }

    [Fact]
    public void A_folder_of_the_Python_Trainer_is_read_from_its_state()
    {
        var state = Golden.Require("trainer", "plain", "trainer_state.json");
        File.Copy(state, _folder.Reserve("python/trainer_state.json"));

        var run = Library().Find("python")!;

        Assert.Equal(RunState.Done, run.State);
        Assert.Equal(run.StepCount, run.Step);
        Assert.Contains(run.Rows, r => r["loss"] is not null);
    }

    [Fact]
    public void Runs_lie_in_folders_within_folders_but_not_behind_links()
    {
        using var elsewhere = new TemporaryFolder();
        elsewhere.WriteText("secret/events.jsonl", Begin + "\n");
        Append("sweep/a", Begin + "\n");
        Directory.CreateSymbolicLink(_folder["link"], elsewhere.Path);

        Assert.Equal(["sweep/a"], Library().Look().Select(r => r.Name));
    }

    private RunLibrary Library() => new(new StudioOptions { Runs = _folder.Path }, TimeProvider.System);

    private static string Log(int step, double loss) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"{{\"event\": \"log\", \"time\": \"2026-01-01T10:00:{step}Z\", \"step\": {step}, \"epoch\": 0.1, \"values\": {{\"loss\": {loss}, \"step\": {step}, \"epoch\": 0.1}}}}\n");

    private void Append(string run, string text) => File.AppendAllText(_folder.Reserve($"{run}/events.jsonl"), text);
}
