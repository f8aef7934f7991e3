using Vizsla.Imaging;

namespace Vizsla.Tests.Imaging;

public sealed class PixelPoolTests
{
    private const int Megabyte = 1 << 20;

    [Fact]
    public void A_large_buffer_is_as_long_as_asked_for_and_not_kept()
    {
        var pool = new PixelPool<byte>(long.MaxValue, TimeProvider.System);
        var first = pool.Rent(PixelPool<byte>.LongestKept + 1);
        pool.Return(first);

        Assert.Equal(PixelPool<byte>.LongestKept + 1, first.Length);
        Assert.Equal(0, pool.Kept);
    }

    [Fact]
    public void What_one_thread_gives_back_is_the_next_one_s_so_that_no_more_is_kept_than_was_in_use_at_once()
    {
        var pool = new PixelPool<float>(long.MaxValue, TimeProvider.System);
        var seen = new HashSet<float[]>();
        for (var i = 0; i < 20; i++)
        {
            var thread = new Thread(() =>
            {
                // Photos of nearly one size.
                var (one, two) = (pool.Rent(Megabyte - i), pool.Rent(Megabyte - (2 * i)));
                seen.UnionWith([one, two]);
                pool.Return(one);
                pool.Return(two);
            });
            thread.Start();
            thread.Join();
        }

        Assert.Equal(2, seen.Count);
        Assert.Equal(2 * sizeof(float) * Megabyte, pool.Kept);
    }

    [Fact]
    public void A_buffer_of_more_than_twice_the_length_is_not_wasted_on_a_small_picture()
    {
        var pool = new PixelPool<byte>(long.MaxValue, TimeProvider.System);
        var large = pool.Rent(5 * Megabyte);
        var fitting = pool.Rent(2 * Megabyte);
        pool.Return(fitting);
        pool.Return(large);

        Assert.Same(fitting, pool.Rent(Megabyte));
        Assert.NotSame(large, pool.Rent(Megabyte));
        Assert.Same(large, pool.Rent(3 * Megabyte));
    }

    [Fact]
    public void No_more_than_the_limit_is_kept_and_what_nobody_used_for_a_minute_is_dropped()
    {
        var time = new HandClock();
        var pool = new PixelPool<byte>(3 * Megabyte, time);
        Array.ForEach([.. Enumerable.Range(0, 5).Select(_ => pool.Rent(Megabyte))], pool.Return);
        Assert.Equal(3 * Megabyte, pool.Kept);

        time.Now += TimeSpan.FromSeconds(61);
        pool.Return(pool.Rent(Megabyte));

        Assert.Equal(Megabyte, pool.Kept);
        pool.Return(new byte[4 * Megabyte]);
        Assert.Equal(0, pool.Kept);
    }

    private sealed class HandClock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
