using Vizsla.Cli.Progress;

namespace Vizsla.Cli.Tests.Progress;

public sealed class RunMeterTests
{
    [Fact]
    public void The_rate_is_that_of_steps_after_the_first()
    {
        var clock = new HandClock();
        var meter = new RunMeter(clock);
        meter.Begin(0);

        clock.Advance(60);
        meter.Step(1, 8);
        Assert.Null(meter.PicturesPerSecond);
        clock.Advance(2);
        meter.Step(2, 8);

        Assert.Equal(4, meter.PicturesPerSecond!.Value, 1e-9);
    }

    [Fact]
    public void Evaluations_do_not_slow_the_rate_but_count_in_the_time_left()
    {
        var clock = new HandClock();
        var meter = new RunMeter(clock);
        meter.Begin(10);
        clock.Advance(1);
        meter.Step(11, 4);
        clock.Advance(1);
        meter.Step(12, 4);
        clock.Advance(5);
        meter.Skip();
        clock.Advance(1);
        meter.Step(13, 4);

        Assert.Equal(4, meter.PicturesPerSecond!.Value, 1e-9);
        Assert.Equal(TimeSpan.FromSeconds(3.5 * 7), meter.Left(20));
    }

    [Fact]
    public void The_time_left_follows_the_latest_steps()
    {
        const int Fast = 1000;
        const int Slow = 100;
        var clock = new HandClock();
        var meter = new RunMeter(clock);
        meter.Begin(0);
        for (var step = 1; step <= Fast + Slow; step++)
        {
            clock.Advance(step <= Fast ? 0.001 : 1);
            meter.Step(step, 16);
        }

        // The last hundred steps took a second each; the thousand before them hardly count.
        Assert.Equal(200, meter.Left(Fast + Slow + 200)!.Value.TotalSeconds, 0.1);
    }

    private sealed class HandClock : TimeProvider
    {
        private long _now = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(double seconds) => _now += (long)(seconds * TimestampFrequency);

        public override long GetTimestamp() => _now;
    }
}
