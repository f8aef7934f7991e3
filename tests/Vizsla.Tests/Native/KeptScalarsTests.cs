using TorchSharp;
using Vizsla.Native;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Tests.Native;

[Collection(RunAlone.Name)]
public sealed class KeptScalarsTests
{
    [Fact]
    public void Numbers_keep_their_kind()
    {
        using var whole = tensor(new long[] { 1, 2 });

        using var sum = whole.Plus_(1L).alias();
        using var half = whole.Times(0.5);

        Assert.Equal(ScalarType.Int64, sum.dtype);
        Assert.Equal([2, 3], sum.data<long>().ToArray());
        Assert.Equal(ScalarType.Float32, half.dtype);
    }

    [Fact]
    public void A_scalar_outlives_as_many_more_as_are_kept()
    {
        var weak = Make();
        GC.Collect();
        GC.WaitForPendingFinalizers();

        Assert.True(weak.IsAlive);

        for (var i = 0; i < KeptCount; i++)
        {
            _ = Kept(i);
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.False(weak.IsAlive);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static WeakReference Make() => new(Kept(0.25));
    }

    [Fact]
    public void Sums_stay_right_while_the_collector_runs_without_pause()
    {
        using var stop = new CancellationTokenSource();
        var collector = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect(0, GCCollectionMode.Forced, blocking: true);
                GC.WaitForPendingFinalizers();
            }
        });
        collector.Start();
        try
        {
            using var ones = torch.ones(4);
            for (var i = 0; i < 20_000; i++)
            {
                using var sum = ones.Plus(ones);
                using var scaled = sum.Times(0.5 + i);
                Assert.Equal(2 * (0.5f + i), scaled.data<float>()[3], 2 * (0.5f + i) * 1e-6f);
            }
        }
        finally
        {
            stop.Cancel();
            collector.Join();
        }
    }
}
