using System.Text.Json.Nodes;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Processes;

/// <summary>Processes that are asked to stop, and two that want one folder.</summary>
public sealed class StopTests
{
    private const int Interrupted = 130;
    // Enough that a signal arrives in time where other tests keep the cores busy.
    private const int Steps = 200;
    private const int Endless = 100_000;

    [Theory]
    [Trait("Category", "Slow")]
    [InlineData("INT")]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public void A_stopped_training_saves_and_says_how_to_go_on(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "skipped: Windows has no such signals");
        using var run = new AnimalRun();
        using (var whole = VizslaProcess.Start(run.Train("whole", Steps)))
        {
            Assert.True(whole.Wait() == 0, whole.ErrorText);
        }

        using var stopped = VizslaProcess.Start(run.Train("stopped", Steps));
        stopped.ReadUntil("log");
        stopped.Signal(signal);

        Assert.Equal(Interrupted, stopped.Wait());
        const string Advice = "Resume with: vizsla ";
        var command = stopped.ErrorText.Split('\n').Single(line => line.StartsWith(Advice, StringComparison.Ordinal))[Advice.Length..].Trim();
        Assert.Equal($"train --output {run.Output("stopped")} --resume_from_checkpoint true", command);
        var events = File.ReadAllLines(Path.Combine(run.Output("stopped"), "events.jsonl")).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal("stopped", events[^1]["event"]!.GetValue<string>());
        Assert.True(Directory.Exists(Path.Combine(run.Output("stopped"), events[^1]["checkpoint"]!.GetValue<string>())));

        using var resumed = VizslaProcess.Start(command.Split(' '));
        Assert.True(resumed.Wait() == 0, resumed.ErrorText);
        Assert.Equal(RunFingerprint.Of(run.Output("whole")), RunFingerprint.Of(run.Output("stopped")));
    }

    [Fact]
    [Trait("Category", "Slow")]
    public void A_training_under_nohup_outlives_its_terminal()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "skipped: only Linux says which signals are ignored");
        using var run = new AnimalRun();
        using var process = VizslaProcess.StartIgnoring("HUP", run.Train("run", Steps));
        process.ReadUntil("log");

        process.Signal("HUP");

        Assert.True(process.Wait() == 0, process.ErrorText);
        Assert.DoesNotContain("Stopping", process.ErrorText, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public void A_second_process_on_the_folder_of_a_running_one_is_refused()
    {
        using var run = new AnimalRun();
        using var first = VizslaProcess.Start(run.Train("run", Endless));
        first.ReadUntil("save");

        using var second = VizslaProcess.Start([.. run.Train("run", Endless), "--resume_from_checkpoint", "true"]);

        Assert.Equal(1, second.Wait());
        Assert.Contains($"The run folder '{run.Output("run")}' is in use by another training: wait for it, or give another output_dir.", second.ErrorText, StringComparison.Ordinal);
        Assert.False(first.HasEnded, first.ErrorText);
    }
}
