using Vizsla.Serving;
using Vizsla.Serving.Pictures;
using Vizsla.Studio.Hosting;
using Vizsla.Studio.Pictures;
using Vizsla.Testing.Hub;

namespace Vizsla.Studio.Tests.Pictures;

/// <summary>Pixels that are decoded at a time have a limit; others wait their turn, or are told to come back.</summary>
public sealed class DecodeBudgetTests
{
    private static readonly byte[] Picture = TestPictures.Png(1, 2, 3, width: 10, height: 10);

    [Fact]
    public async Task Pictures_wait_for_pixels_in_their_order()
    {
        var budget = Budget(pixels: 250, TimeSpan.FromMinutes(1));
        var first = await budget.TakeAsync(Picture, CancellationToken.None);
        var second = await budget.TakeAsync(Picture, CancellationToken.None);

        var large = budget.TakeAsync(TestPictures.Png(1, 2, 3, width: 20, height: 12), CancellationToken.None).AsTask();
        var small = budget.TakeAsync(Picture, CancellationToken.None).AsTask();
        first.Dispose();
        first.Dispose();

        Assert.False(large.IsCompleted);
        Assert.False(small.IsCompleted);
        second.Dispose();
        (await large).Dispose();
        (await small).Dispose();
    }

    [Fact]
    public async Task A_picture_that_waits_too_long_is_told_to_come_back_and_leaves_its_place()
    {
        var budget = Budget(pixels: 100, TimeSpan.FromMilliseconds(20));
        var held = await budget.TakeAsync(Picture, CancellationToken.None);

        var refused = await Assert.ThrowsAsync<RefusedException>(() => budget.TakeAsync(Picture, CancellationToken.None).AsTask());
        held.Dispose();

        Assert.Equal((503, "Too many large pictures are being decoded; try again later.", true), (refused.Status, refused.Message, refused.RetryAfter is not null));
        (await budget.TakeAsync(Picture, CancellationToken.None)).Dispose();
    }

    [Fact]
    public async Task A_request_that_ends_leaves_its_place()
    {
        var budget = Budget(pixels: 100, TimeSpan.FromMinutes(1));
        var held = await budget.TakeAsync(Picture, CancellationToken.None);
        using var cancel = new CancellationTokenSource();
        var waiting = budget.TakeAsync(Picture, cancel.Token).AsTask();

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        held.Dispose();
        (await budget.TakeAsync(Picture, CancellationToken.None)).Dispose();
    }

    [Fact]
    public async Task One_picture_of_the_largest_size_is_always_taken()
    {
        var budget = new DecodeBudget(new ServingOptions { MaxDecodingPixels = 1, MaxPicturePixels = 100 });

        (await budget.TakeAsync(Picture, CancellationToken.None)).Dispose();

        Assert.Equal(100, budget.Limit);
    }

    [Fact]
    public async Task Memory_goes_back_to_the_system_once_after_the_last_of_large_pictures()
    {
        var given = new TaskCompletionSource();
        var count = 0;
        var time = new InstantTime();
        using var budget = new DecodeBudget(new ServingOptions { MaxDecodingPixels = 60_000_000, MaxPicturePixels = 60_000_000 }, time, () =>
        {
            count++;
            given.SetResult();
        });
        var large = TestPictures.Png(1, 2, 3, width: 6_000, height: 5_600);
        var first = await budget.TakeAsync(large, CancellationToken.None);
        var second = await budget.TakeAsync(Picture, CancellationToken.None);

        first.Dispose();
        Assert.DoesNotContain(TimeSpan.FromSeconds(5), time.Waits);
        second.Dispose();
        await given.Task;
        (await budget.TakeAsync(Picture, CancellationToken.None)).Dispose();

        Assert.Equal(1, count);
    }

    [Fact]
    public async Task Memory_of_small_pictures_is_kept_for_the_next_ones()
    {
        var time = new InstantTime();
        using var budget = new DecodeBudget(new ServingOptions { MaxDecodingPixels = 60_000_000, MaxPicturePixels = 60_000_000 }, time, () => Assert.Fail("memory was given back"));

        for (var i = 0; i < 10; i++)
        {
            (await budget.TakeAsync(Picture, CancellationToken.None)).Dispose();
        }

        Assert.Equal([Timeout.InfiniteTimeSpan], time.Waits);
    }

    private static DecodeBudget Budget(long pixels, TimeSpan wait) => new(new ServingOptions { MaxDecodingPixels = pixels, MaxPicturePixels = 1, MaxDecodingWait = wait });
}
