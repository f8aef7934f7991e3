using Vizsla.Imaging;

namespace Vizsla.Tests.Imaging;

public sealed class PixelPoolTests
{
    [Fact]
    public void A_large_buffer_is_as_long_as_asked_for_and_not_kept()
    {
        var first = PixelPool.Rent(PixelPool.LongestKept + 1);
        PixelPool.Return(first);
        var second = PixelPool.Rent(PixelPool.LongestKept + 1);

        Assert.Equal(PixelPool.LongestKept + 1, first.Length);
        Assert.NotSame(first, second);
    }
}
