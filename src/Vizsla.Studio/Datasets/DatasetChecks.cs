using Vizsla.Datasets;
using Vizsla.Datasets.Checks;

namespace Vizsla.Studio.Datasets;

/// <summary>Checks the given dataset in the background and keeps the report.</summary>
internal sealed class DatasetChecks(DatasetLibrary library)
{
    private readonly Lock _lock = new();

    /// <summary>Raised on any thread when the page is to be rendered again.</summary>
    public event Action? Changed;

    /// <summary>Whether a check goes on.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>Pictures done.</summary>
    public int Done { get; private set; }

    /// <summary>Pictures in all.</summary>
    public int Count { get; private set; }

    /// <summary>What was found; null before the first check.</summary>
    public DatasetCheckReport? Report { get; private set; }

    /// <summary>Why the check failed.</summary>
    public string? Problem { get; private set; }

    /// <summary>Begins a check unless one goes on.</summary>
    public void Start()
    {
        lock (_lock)
        {
            if (IsRunning)
            {
                return;
            }

            (IsRunning, Done, Problem) = (true, 0, null);
        }

        new Thread(Run) { IsBackground = true, Name = "vizsla dataset check" }.Start();
        Changed?.Invoke();
    }

    private void Run()
    {
        try
        {
            if (library.Given is { } dataset)
            {
                Count = dataset.Values.Sum(s => s.Count);
                Report = DatasetCheck.Run(dataset, progress: new Steps(this));
            }
        }
        catch (Exception e) when (e is DatasetException or IOException)
        {
            Problem = "The check failed: the dataset cannot be read.";
        }
        finally
        {
            IsRunning = false;
            Changed?.Invoke();
        }
    }

    private sealed class Steps(DatasetChecks checks) : IProgress<int>
    {
        private const int Every = 25;

        public void Report(int value)
        {
            checks.Done = value;
            if (value % Every == 0)
            {
                checks.Changed?.Invoke();
            }
        }
    }
}
