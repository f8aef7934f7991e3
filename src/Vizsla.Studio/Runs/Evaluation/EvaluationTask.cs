namespace Vizsla.Studio.Runs.Evaluation;

/// <summary>An evaluation that goes on, is done, or failed.</summary>
internal sealed class EvaluationTask
{
    private volatile int _done;
    private volatile int _count;
    private volatile RunEvaluation? _result;
    private volatile string? _problem;

    /// <summary>The result once there is one.</summary>
    public RunEvaluation? Result => _result;

    /// <summary>Why there is none.</summary>
    public string? Problem => _problem;

    /// <summary>Pictures done and pictures in all.</summary>
    public (int Done, int Count) Progress => (_done, _count);

    /// <summary>What a page shows of it: it is drawn anew when this changes.</summary>
    public (int Done, bool Ended) Look => (_done, _result is not null || _problem is not null);

    /// <summary>Tells how far it is.</summary>
    public void Report(int done, int count) => (_done, _count) = (done, count);

    /// <summary>Does the work and keeps its result or its failure.</summary>
    public void Complete(Func<RunEvaluation> work)
    {
        try
        {
            _result = work();
        }
        catch (Exception e)
        {
            // The edge between a background thread and the page that shows what became of it.
            _problem = e is DirectoryNotFoundException or Models.ModelLoadException ? e.Message : "The evaluation failed.";
        }
    }
}
