using Microsoft.Extensions.Logging;

namespace Vizsla.Hub.Cache;

/// <summary>A lock between processes: an empty file held open by one of them.</summary>
/// <remarks>On Unix this is <c>flock</c>, the lock that Python's <c>filelock</c> takes on the same file. The file stays, as there.</remarks>
internal sealed partial class FileLock : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Notice = TimeSpan.FromSeconds(10);

    private readonly FileStream _stream;

    private FileLock(FileStream stream)
    {
        _stream = stream;
    }

    /// <summary>Waits until nobody else holds the lock, then holds it.</summary>
    public static async Task<FileLock> AcquireAsync(string path, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var start = time.GetTimestamp();
        var told = false;
        while (true)
        {
            try
            {
                return new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0));
            }
            catch (IOException e) when (IsHeld(e))
            {
                if (!told && time.GetElapsedTime(start) > Notice)
                {
                    LogWaiting(logger, path);
                    told = true;
                }

                await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public void Dispose() => _stream.Dispose();

    // A missing folder or a full disk is an IOException too, but one of a more special type or another code.
    private static bool IsHeld(IOException e) => e.GetType() == typeof(IOException) && (OperatingSystem.IsWindows()
        ? (e.HResult & 0xFFFF) is 32 or 33
        : e.HResult is 11 or 35);

    [LoggerMessage(Level = LogLevel.Information, Message = "Waiting for another process that holds '{Path}'.")]
    private static partial void LogWaiting(ILogger logger, string path);
}
