using Vizsla.Datasets.Cards;
using Vizsla.Hub;

namespace Vizsla.Datasets.Readers;

/// <summary>Datasets on a Hub: the files that the chosen configuration needs, then the folder they make.</summary>
internal static class HubDatasetReader
{
    private static readonly string[] s_cards = ["README.md", ".huggingface.yaml"];

    public static async Task<DatasetDict> LoadAsync(string nameOrFolder, DatasetLoadOptions options, string? revision, HubClient? hub, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrFolder);
        if (Directory.Exists(nameOrFolder))
        {
            return DatasetFolder.Load(nameOrFolder, options);
        }

        if (!RepoId.TryParse(nameOrFolder, RepoType.Dataset, out var repo) || repo is null)
        {
            throw new DatasetException($"'{nameOrFolder}' is neither a folder nor the name of a dataset on a Hub ('owner/name').");
        }

        var folder = await HubClient.UseAsync(hub, token: null, client => DownloadAsync(client, repo, options, revision, progress, cancellationToken)).ConfigureAwait(false);
        var loaded = DatasetFolder.Load(folder, options, repo.Id);
        return new DatasetDict(loaded.Select(s => KeyValuePair.Create(s.Key, s.Value.Of(repo.Id))), () => loaded.LeftOut);
    }

    private static async Task<string> DownloadAsync(HubClient hub, RepoId repo, DatasetLoadOptions options, string? revision, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        // The card first: of a dataset of many configurations only the files of one are wanted.
        var cards = await hub.SnapshotDownloadAsync(repo, revision, new SnapshotOptions { AllowPatterns = s_cards }, cancellationToken).ConfigureAwait(false);
        var patterns = options.DataFiles?.Values.SelectMany(p => p).ToList() ?? Configured(cards, options);
        var allow = patterns is null ? [] : s_cards.Concat(patterns.SelectMany(ShellPatterns)).ToList();
        return await hub.SnapshotDownloadAsync(repo, revision, new SnapshotOptions { AllowPatterns = allow, Progress = progress }, cancellationToken).ConfigureAwait(false);
    }

    private static List<string>? Configured(string folder, DatasetLoadOptions options)
    {
        var configurations = DatasetCard.Read(folder).Configurations;
        if (configurations.Count == 0 || options.DataDir is not null)
        {
            return null;
        }

        return CardConfiguration.Choose(configurations, options.Name, Path.GetFileName(folder)) is { DataDir: null, DataFiles: { } files }
            ? [.. files.SelectMany(f => f.Value)]
            : null;
    }

    // A snapshot's '*' crosses folders, so it takes at least what the pattern of a dataset does; "**/" may also stand for no folder at all.
    private static IEnumerable<string> ShellPatterns(string pattern) =>
        pattern.Contains("**/", StringComparison.Ordinal) ? [pattern, pattern.Replace("**/", "", StringComparison.Ordinal)] : [pattern];
}
