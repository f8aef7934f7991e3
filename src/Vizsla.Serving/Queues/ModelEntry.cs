using Vizsla.Inference;

namespace Vizsla.Serving.Queues;

/// <summary>A model that is served: its name in addresses, and how to open it.</summary>
/// <param name="Name">Letters, digits, '.', '-' and '_'.</param>
/// <param name="Open">Loads the model; slow.</param>
/// <param name="Files">The files that it would be read from now; null for a model that is never replaced.</param>
internal sealed record ModelEntry(string Name, Func<IServiceProvider, IBatchClassifier> Open, Func<IEnumerable<string>>? Files = null)
{
    /// <summary>Makes a name fit for an address: the last part of a path or Hub name, other characters as '-'.</summary>
    public static string NameOf(string nameOrFolder)
    {
        var last = Path.TrimEndingDirectorySeparator(nameOrFolder.Replace('\\', '/')).Split('/')[^1];
        var name = string.Concat(last.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '-')).Trim('.');
        return name.Length > 0 ? name : "model";
    }

    /// <summary>What tells its files from those that may replace them; null while there are none, and for a model that is never replaced.</summary>
    public string? State()
    {
        try
        {
            var files = Files?.Invoke().Select(f => new FileInfo(f)).Select(f => Invariant($"{f.FullName} {f.Length} {f.LastWriteTimeUtc.Ticks}")).ToList();
            return files is { Count: > 0 } ? string.Join('\n', files) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // They are being replaced at this moment.
            return null;
        }
    }
}
