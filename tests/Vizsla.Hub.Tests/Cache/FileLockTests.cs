using Microsoft.Extensions.Logging.Abstractions;
using Vizsla.Hub.Cache;

namespace Vizsla.Hub.Tests.Cache;

public sealed class FileLockTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vizsla-lock-").FullName;

    [Fact]
    public async Task The_second_waits_for_the_first()
    {
        var path = Path.Combine(_folder, "a", "b.lock");
        var first = await FileLock.AcquireAsync(path, TimeProvider.System, NullLogger.Instance, CancellationToken.None);
        var second = FileLock.AcquireAsync(path, TimeProvider.System, NullLogger.Instance, CancellationToken.None);

        Assert.False(second.IsCompleted);
        first.Dispose();

        using var held = await second;
        Assert.True(File.Exists(path));
    }

    [Fact]
    public async Task Waiting_can_be_given_up()
    {
        var path = Path.Combine(_folder, "b.lock");
        using var stop = new CancellationTokenSource();
        using var first = await FileLock.AcquireAsync(path, TimeProvider.System, NullLogger.Instance, CancellationToken.None);
        var second = FileLock.AcquireAsync(path, TimeProvider.System, NullLogger.Instance, stop.Token);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
    }

    [Fact]
    public async Task What_is_no_lock_held_by_another_is_an_error_at_once()
    {
        var path = Path.Combine(_folder, "folder.lock");
        Directory.CreateDirectory(path);

        await Assert.ThrowsAnyAsync<UnauthorizedAccessException>(() => FileLock.AcquireAsync(path, TimeProvider.System, NullLogger.Instance, CancellationToken.None));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
