using Vizsla.Native;

namespace Vizsla.Tests.Native;

public sealed class CpuFeaturesTests
{
    [Fact]
    public void What_is_found_is_what_the_system_lists()
    {
        if (!File.Exists("/proc/cpuinfo"))
        {
            Assert.Skip("skipped: no /proc/cpuinfo");
        }

        var flags = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("flags", StringComparison.Ordinal))?.Split(' ') ?? [];

        Assert.Equal(flags.Contains("avx512_bf16"), CpuFeatures.HasAvx512Bf16);
        Assert.Equal(flags.Contains("amx_bf16"), CpuFeatures.HasAmxBf16);
        Assert.Equal(flags.Contains("avx2"), CpuFeatures.HasAvx2);
    }

    [Fact]
    public void Faster_bfloat16_implies_the_wider_registers()
    {
        Assert.True(!CpuFeatures.HasFastBfloat16 || CpuFeatures.HasAvx512);
    }
}
