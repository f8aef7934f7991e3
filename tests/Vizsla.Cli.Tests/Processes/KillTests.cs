using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Processes;

/// <summary>Processes that are killed without a word, and go on.</summary>
public sealed class KillTests(ITestOutputHelper log)
{
    private const int Kills = 24;
    private const int Steps = 900;
    private const int LongestStart = 900;

    [Fact]
    [Trait("Category", "Slow")]
    public void A_run_killed_again_and_again_ends_as_one_that_never_was()
    {
        using var run = new AnimalRun();
        using (var whole = VizslaProcess.Start(run.Train("whole", Steps)))
        {
            Assert.True(whole.Wait() == 0, whole.ErrorText);
        }

        var rng = new Rng(6);
        var cutShort = 0;
        string[] words = [.. run.Train("killed", Steps), "--resume_from_checkpoint", "true"];
        for (var kill = 0; kill < Kills; kill++)
        {
            using var process = VizslaProcess.Start(words);
            WaitForTheMoment(process, run.Output("killed"), (kill % 6) switch { 0 => Moment.Start, 1 or 3 or 5 => Moment.Writing, _ => Moment.Anywhen }, rng);
            Assert.False(process.HasEnded, $"ended before kill {kill}: {process.ErrorText}");
            process.Kill();
            cutShort += Unfinished(run.Output("killed")).Any() ? 1 : 0;
        }

        using (var last = VizslaProcess.Start(words))
        {
            Assert.True(last.Wait() == 0, last.ErrorText);
        }

        log.WriteLine($"{Kills} kills, {cutShort} of them while a checkpoint was being written or removed");
        Assert.Empty(Unfinished(run.Output("killed")));
        Assert.Equal(RunFingerprint.WithCheckpoints(run.Output("whole")), RunFingerprint.WithCheckpoints(run.Output("killed")));
    }

    // All but the first end after a checkpoint more than there was, so that the run gets on.
    private static void WaitForTheMoment(VizslaProcess process, string output, Moment moment, Rng rng)
    {
        if (moment == Moment.Start)
        {
            Thread.Sleep(rng.NextInt32(0, LongestStart));
            return;
        }

        process.ReadUntil("save");
        if (moment == Moment.Writing)
        {
            while (!process.HasEnded && !Unfinished(output).Any())
            {
                Thread.Yield();
            }

            Thread.Sleep(rng.NextInt32(0, 4));
            return;
        }

        for (var lines = rng.NextInt32(0, 8); lines > 0; lines--)
        {
            process.Read();
        }

        Thread.Sleep(rng.NextInt32(0, 25));
    }

    private static IEnumerable<string> Unfinished(string output) =>
        Directory.Exists(output) ? Directory.EnumerateDirectories(output, ".checkpoint-*.tmp") : [];

    private enum Moment
    {
        Start,
        Writing,
        Anywhen,
    }
}
