namespace Vizsla.Training.Checkpoints;

/// <summary>Keeps a run folder to one process; the system lets it go when the process ends, however it ends.</summary>
internal sealed class RunLock : IDisposable
{
    internal const string FileName = "run.lock";

    // What .NET reports for a file that another process has: ERROR_SHARING_VIOLATION, EWOULDBLOCK on Linux and on macOS.
    private static readonly int[] InUse = [unchecked((int)0x80070020), 11, 35];
    private readonly FileStream _file;

    private RunLock(FileStream file) => _file = file;

    /// <summary>Takes the lock.</summary>
    /// <param name="folder">The run folder; created when absent.</param>
    /// <exception cref="TrainingException">Another process has it, or the folder cannot be written.</exception>
    public static RunLock Take(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TrainingException($"The run folder '{folder}' cannot be made: {e.Message}", e);
        }

        try
        {
            return new(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (InUse.Contains(e.HResult))
        {
            throw new TrainingException($"The run folder '{folder}' is in use by another training: wait for it, or give another --output_dir.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TrainingException($"The run folder '{folder}' cannot be written: {e.Message.TrimEnd('.')}. Give another --output_dir.", e);
        }
    }

    /// <summary>Lets the folder go. The file stays: removing it could take away the lock of who opened it next.</summary>
    public void Dispose() => _file.Dispose();
}
