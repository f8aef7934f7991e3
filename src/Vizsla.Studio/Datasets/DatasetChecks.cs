using System.Security.Cryptography;
using Vizsla.Datasets;
using Vizsla.Datasets.Checks;

namespace Vizsla.Studio.Datasets;

/// <summary>Checks the given dataset in the background and remembers what was found.</summary>
internal sealed class DatasetChecks(DatasetLibrary library)
{
    private readonly Lock _lock = new();

    /// <summary>Told on any thread when something is to be drawn anew.</summary>
    public event Action? Changed;

    /// <summary>Whether a check goes on.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>Pictures done.</summary>
    public int Done { get; private set; }

    /// <summary>Pictures in all.</summary>
    public int Count { get; private set; }

    /// <summary>What was found; null before the first check.</summary>
    public DatasetFindings? Findings { get; private set; }

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
                Findings = Check(dataset);
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

    private DatasetFindings Check(DatasetDict dataset)
    {
        Count = dataset.Values.Sum(s => s.Count);
        var broken = new List<(string, int, string, string)>();
        var bySum = new Dictionary<string, List<(string, int, string, string)>>(StringComparer.Ordinal);
        var before = 0;
        foreach (var (split, rows) in dataset)
        {
            var bad = ImageScan.Run(rows, new Steps(this, before));
            broken.AddRange(bad.Select(b => (split, b.Row, Path.GetFileName(b.Image.Path), b.Image.Reason)));
            for (var row = 0; row < rows.Count; row++)
            {
                var source = rows[row];
                var sum = Convert.ToHexString(SHA256.HashData(source.ReadBytes().Span));
                var label = rows.ClassNames.Count > 0 ? rows.ClassNames[rows.Label(row)] : "";
                bySum.TryAdd(sum, []);
                bySum[sum].Add((split, row, Path.GetFileName(source.Name), label));
            }

            before += rows.Count;
        }

        return new(broken, [.. bySum.Values.Where(group => group.Count > 1)]);
    }

    private sealed class Steps(DatasetChecks checks, int before) : IProgress<int>
    {
        private const int Every = 25;

        public void Report(int value)
        {
            checks.Done = before + value;
            if (value % Every == 0)
            {
                checks.Changed?.Invoke();
            }
        }
    }
}
