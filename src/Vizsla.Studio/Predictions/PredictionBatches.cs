using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Vizsla.Studio.Predictions;

/// <summary>Which pictures a page was given, so that a reload has them again; the oldest go first.</summary>
internal sealed class PredictionBatches
{
    private const int MostBatches = 200;
    private const int IdBytes = 9;

    private readonly ConcurrentDictionary<string, IReadOnlyList<(string Name, string Id)>> _batches = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _order = new();

    /// <summary>Keeps the pictures of a page.</summary>
    /// <param name="batch">The name that they were kept by before; null makes one.</param>
    /// <param name="pictures">Names of the files, and their names in the store.</param>
    /// <returns>The name that they are kept by.</returns>
    public string Keep(string? batch, IReadOnlyList<(string Name, string Id)> pictures)
    {
        var name = batch is not null && _batches.ContainsKey(batch) ? batch : Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes));
        if (name != batch)
        {
            _order.Enqueue(name);
            while (_order.Count > MostBatches && _order.TryDequeue(out var oldest))
            {
                _batches.TryRemove(oldest, out _);
            }
        }

        _batches[name] = pictures;
        return name;
    }

    /// <summary>The pictures of that name; none when it is not known.</summary>
    public IReadOnlyList<(string Name, string Id)> Find(string? batch) => batch is not null && _batches.TryGetValue(batch, out var pictures) ? pictures : [];
}
