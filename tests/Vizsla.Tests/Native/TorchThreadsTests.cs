using Vizsla.Tests.Training;
using static TorchSharp.torch;

namespace Vizsla.Tests.Native;

[Collection(TrainsAlone.Name)]
public sealed class TorchThreadsTests
{
    [Fact]
    public void A_model_takes_no_more_threads_than_the_process_has_cores()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is { Length: > 0 }, "skipped: OMP_NUM_THREADS is set");
        var before = get_num_threads();
        set_num_threads(Environment.ProcessorCount + 3);
        try
        {
            using var run = new TinyRun();
            using var model = run.Model();

            Assert.Equal(Environment.ProcessorCount, get_num_threads());
        }
        finally
        {
            set_num_threads(before);
        }
    }
}
