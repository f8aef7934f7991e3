using Microsoft.ML.OnnxRuntime;

namespace Vizsla.Onnx;

/// <summary>One session of ONNX Runtime for all threads, in memory that follows the processors and not the threads that ask.</summary>
/// <remarks>
/// As many runs at once as there are processors: more would not be faster, and each needs memory of its own. The session keeps that memory from one run to the next (ONNX Runtime's arena): left to the system's allocator,
/// each calling thread would keep as much, and what a layer of a batch frees would be mapped and cleared again for the next one.
/// </remarks>
internal sealed class SharedSession : IDisposable
{
    // A run of more values than this gives its memory back where pictures are of any size; 4 pictures of 590 x 590.
    private const long MostKept = 1 << 22;

    private readonly Lock _use = new();
    private readonly SemaphoreSlim _turns = new(Environment.ProcessorCount);
    private int _users;
    private int _running;
    private bool _isDisposed;

    private SharedSession(InferenceSession session) => Session = session;

    /// <summary>ONNX Runtime's session.</summary>
    public InferenceSession Session { get; }

    /// <summary>The most runs that there were at once.</summary>
    public int MostRuns { get; private set; }

    /// <summary>The largest first length of an input, which is the number of pictures where a file takes several.</summary>
    public long MostTogether { get; private set; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="OnnxModelException">ONNX Runtime cannot load it.</exception>
    public static SharedSession Open(string file, OnnxClassifierOptions options)
    {
        // Threads follow the processors that this process may use, not those of the machine, and sleep while they wait.
        using var settings = new SessionOptions { IntraOpNumThreads = options.Threads ?? Environment.ProcessorCount };
        settings.AddSessionConfigEntry("session.intra_op.allow_spinning", options.Spins ? "1" : "0");
        options.Configure?.Invoke(settings);
        try
        {
            return new(new InferenceSession(file, settings));
        }
        catch (OnnxRuntimeException e)
        {
            throw new OnnxModelException($"'{file}' is not a model that ONNX Runtime can load: {e.Message} Export it again.", e);
        }
    }

    /// <summary>Computes one output, after its turn has come.</summary>
    /// <param name="input">Name of the input.</param>
    /// <param name="values">Its values.</param>
    /// <param name="shape">Their lengths.</param>
    /// <param name="output">Name of the output.</param>
    /// <param name="hasOneSize">Whether all runs take pictures of one size, so that none needs more memory than another.</param>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public float[] Run<T>(string input, Memory<T> values, long[] shape, string output, bool hasOneSize)
        where T : unmanaged
    {
        Enter();
        try
        {
            _turns.Wait();
            Count(1, shape[0]);
            using var value = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, values, shape);
            using var run = new RunOptions();
            if (!hasOneSize && values.Length > MostKept)
            {
                run.AddRunConfigEntry("memory.enable_memory_arena_shrinkage", "cpu:0");
            }

            using var results = Session.Run(run, [input], [value], [output]);
            return results[0].GetTensorDataAsSpan<float>().ToArray();
        }
        finally
        {
            Count(-1, 0);
            _turns.Release();
            Leave();
        }
    }

    /// <summary>Frees the session, after the runs that are under way and those that wait for their turn.</summary>
    public void Dispose()
    {
        lock (_use)
        {
            (var wasDisposed, _isDisposed) = (_isDisposed, true);
            if (!wasDisposed && _users == 0)
            {
                Free();
            }
        }
    }

    private void Count(int runs, long together)
    {
        lock (_use)
        {
            _running += runs;
            (MostRuns, MostTogether) = (Math.Max(MostRuns, _running), Math.Max(MostTogether, together));
        }
    }

    private void Enter()
    {
        lock (_use)
        {
            // What the caller knows of is the classifier.
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(OnnxClassifier));
            _users++;
        }
    }

    private void Leave()
    {
        lock (_use)
        {
            if (--_users == 0 && _isDisposed)
            {
                Free();
            }
        }
    }

    private void Free()
    {
        Session.Dispose();
        _turns.Dispose();
    }
}
