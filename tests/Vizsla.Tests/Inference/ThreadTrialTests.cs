using Vizsla.Inference;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Tests.Inference;

[Collection(nameof(RunAlone))]
public sealed class ThreadTrialTests
{
    [Theory]
    [InlineData(5, 4, true)]
    [InlineData(5, 5, true)]
    [InlineData(4, 5, false)]
    public void The_faster_way_is_taken_and_of_equal_ones_a_single_thread(int all, int one, bool expected)
    {
        var time = new WorkTime();

        Assert.Equal(expected, ThreadTrial.IsOneFaster(() => time.Work(all), () => time.Work(one), time));
    }

    [Fact]
    public void The_best_round_counts()
    {
        var time = new WorkTime();
        var rounds = new Queue<int>([9, 3, 9]);

        Assert.True(ThreadTrial.IsOneFaster(() => time.Work(4), () => time.Work(rounds.Dequeue()), time));
    }

    [Fact]
    public void Work_that_is_long_on_one_thread_is_tried_only_once()
    {
        var time = new WorkTime();
        var tries = 0;

        var isFaster = ThreadTrial.IsOneFaster(() => time.Work(100), () => time.Work(20 + ++tries), time);

        Assert.False(isFaster);
        Assert.Equal(1, tries);
    }

    [Fact]
    public void One_thread_is_taken_for_its_caller_alone_and_given_back()
    {
        Assert.SkipUnless(TorchThreads.CanUseOne, "skipped: this libtorch cannot change the threads of one caller");
        var before = get_num_threads();
        set_num_threads(3);
        try
        {
            int inside;
            var elsewhere = 0;
            using (TorchThreads.UseOne())
            {
                inside = get_num_threads();
                var other = new Thread(() => elsewhere = get_num_threads());
                other.Start();
                other.Join();
            }

            Assert.Equal((1, 3, 3), (inside, elsewhere, get_num_threads()));
        }
        finally
        {
            set_num_threads(before);
        }
    }

    /// <summary>A clock that only work moves.</summary>
    private sealed class WorkTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => _now;

        public void Work(int milliseconds) => _now += milliseconds;
    }
}
