using Vizsla.Inference;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Tests.Inference;

[Collection(nameof(RunAlone))]
public sealed class ThreadTrialTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(20);

    [Theory]
    [InlineData(5, 4, true)]
    [InlineData(5, 5, true)]
    [InlineData(4, 5, false)]
    public void The_faster_way_is_taken_and_of_equal_ones_a_single_thread(int all, int one, bool expected)
    {
        var time = new WorkTime();

        Assert.Equal(expected, ThreadTrial.IsOneFaster(() => time.Work(all), () => time.Work(one), time, Longest));
    }

    [Fact]
    public void One_lucky_round_does_not_decide()
    {
        var time = new WorkTime();
        var round = 0;

        Assert.True(ThreadTrial.IsOneFaster(() => time.Work(round == 3 ? 1 : 9), () => time.Work(++round == 2 ? 19 : 4), time, Longest));
    }

    [Fact]
    public void Work_that_is_long_on_one_thread_is_tried_only_once()
    {
        var time = new WorkTime();
        var tries = 0;

        var isFaster = ThreadTrial.IsOneFaster(() => time.Work(100), () => time.Work(20 + ++tries), time, Longest);

        Assert.False(isFaster);
        Assert.Equal(1, tries);
    }

    [Theory]
    [InlineData(2, 3, 1, 2, true)]
    [InlineData(2, 2, 2, 2, false)]
    [InlineData(2, 2, 1, 2, true)]
    [InlineData(4, 3, 1, 2, false)]
    [InlineData(4, 6, 1, 2, true)]
    [InlineData(1, 2, 1, 1, true)]
    public void Cores_are_short_where_others_keep_them_busy(int cores, int running, int own, int threads, bool expected)
    {
        var stat = "cpu  1 2 3\n" + string.Concat(Enumerable.Range(0, cores).Select(i => $"cpu{i} 1 2 3\n")) + $"intr 5\nprocs_running {running}\nprocs_blocked 0\n";

        Assert.Equal(expected, Machine.IsShort(stat, own, threads));
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
