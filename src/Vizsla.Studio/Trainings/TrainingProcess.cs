using System.Globalization;
using System.Text;
using Vizsla.Native;
using Vizsla.Runs;

namespace Vizsla.Studio.Trainings;

/// <summary>
/// The training's side of the queue: the process that a studio started leaves the studio's terminal, writes what it says into the folder of its place in the queue, and its exit code when it ends.
/// So any studio on the same folder of runs, a later one too, can tell whether it runs, how it ended, or that it was lost.
/// </summary>
internal sealed class TrainingProcess : IDisposable
{
    /// <summary>The environment variable that names the folder; set by the studio that starts the process.</summary>
    public const string Variable = "VIZSLA_TRAINING";

    /// <summary>What the process said.</summary>
    public const string OutputFile = "output.txt";

    /// <summary>Its number, from when it has the lock.</summary>
    public const string NumberFile = "process";

    /// <summary>Its exit code and, in further lines, why, where its output does not say.</summary>
    public const string EndFile = "ended";

    private readonly string _folder;
    private readonly RunLock _lock;
    private readonly StreamWriter _output;

    private TrainingProcess(string folder)
    {
        _folder = folder;
        TerminalSession.Leave();
        _lock = RunLock.Take(folder);
        File.WriteAllText(Path.Combine(folder, NumberFile), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        _output = new StreamWriter(new FileStream(Path.Combine(folder, OutputFile), FileMode.Append, FileAccess.Write, FileShare.Read), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { AutoFlush = true };
        Console.SetOut(_output);
        Console.SetError(_output);
    }

    /// <summary>Joins the queue that started this process; null where none did.</summary>
    public static TrainingProcess? FromEnvironment()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } folder)
        {
            return null;
        }

        // What this process starts is no training of the queue.
        Environment.SetEnvironmentVariable(Variable, null);
        return new TrainingProcess(folder);
    }

    /// <summary>Notes how it ended.</summary>
    /// <param name="status">The exit code.</param>
    public void End(int status) => File.WriteAllText(Path.Combine(_folder, EndFile), status.ToString(CultureInfo.InvariantCulture));

    public void Dispose()
    {
        _output.Dispose();
        _lock.Dispose();
    }
}
