using System.Text;
using System.Text.RegularExpressions;
using Vizsla.Datasets.Cards;
using Vizsla.Hub;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Writers;

/// <summary>Puts splits on a Hub: shards first, which nobody sees, then one commit with the card and without the old shards.</summary>
/// <remarks>
/// Source: datasets 5.2 <c>push_to_hub</c>. Parity: the same files, cards and commits; a commit that another one overtook is made again on top of it, where Python's client gives up.
/// Run again after a break it sends only what the storage lacks.
/// </remarks>
internal sealed partial class DatasetPush
{
    private const string CardName = "README.md";
    private const int FilesPerCommit = 50;
    private const int MaxAttempts = 10;
    private readonly HubClient _hub;
    private readonly DatasetPushOptions _options;
    private readonly bool _keepsOtherSplits;
    private RepoId _repo;

    private DatasetPush(HubClient hub, RepoId repo, DatasetPushOptions options, bool keepsOtherSplits) =>
        (_hub, _repo, _options, _keepsOtherSplits) = (hub, repo, options, keepsOtherSplits);

    private string DataDir => _options.DataDir ?? (_options.ConfigName == "default" ? "data" : _options.ConfigName);

    private CommitOptions Commit => new()
    {
        Revision = _options.Revision ?? "main",
        Description = _options.CommitDescription,
        CreatePullRequest = _options.CreatePullRequest,
        Progress = _options.Progress,
    };

    /// <summary>Pushes splits of the same columns.</summary>
    /// <param name="hub">The Hub.</param>
    /// <param name="repo">The repository; created if missing.</param>
    /// <param name="splits">The splits by name.</param>
    /// <param name="options">How.</param>
    /// <param name="keepsOtherSplits">Whether the configuration keeps splits that are not pushed.</param>
    /// <param name="cancellationToken">Stops; what was sent is not sent again the next time.</param>
    /// <exception cref="DatasetException">A name or the columns do not fit, or a picture cannot be read.</exception>
    /// <exception cref="HubException">The Hub refused, or the way to it broke.</exception>
    public static async Task<CommitResult> RunAsync(HubClient hub, RepoId repo, DatasetDict splits, DatasetPushOptions options, bool keepsOtherSplits, CancellationToken cancellationToken)
    {
        Validate(splits, options);
        var push = new DatasetPush(hub, repo, options, keepsOtherSplits);
        await push.EnsureRepositoryAsync(cancellationToken).ConfigureAwait(false);
        var folder = Directory.CreateTempSubdirectory("vizsla-push-");
        try
        {
            var operations = new List<CommitOperation>();
            var pushed = new List<CardUpdate.Split>();
            foreach (var (name, dataset) in splits)
            {
                var (added, split) = await push.SendAsync(name, dataset, folder.FullName, cancellationToken).ConfigureAwait(false);
                operations.AddRange(added);
                pushed.Add(split);
            }

            return await push.CommitAllAsync(operations, splits.Features, pushed, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Validate(DatasetDict splits, DatasetPushOptions options)
    {
        if (splits.Keys.FirstOrDefault(s => !SplitName().IsMatch(s)) is { } wrong)
        {
            throw new DatasetException($"Split name should match '^\\w+(\\.\\w+)*$' but got '{wrong}'.");
        }

        if (options.ConfigName == "data")
        {
            throw new DatasetException("`config_name` cannot be 'data'. Please, choose another name for configuration.");
        }

        if (splits.FirstOrDefault(s => !s.Value.Features.Equals(splits.Features)) is { Key: { } other })
        {
            throw new DatasetException($"All datasets in `DatasetDict` should have the same features but features for '{splits.Keys.First()}' and '{other}' don't match: {splits.Features.ToJson().ToJsonString()} != {splits[other].Features.ToJson().ToJsonString()}");
        }
    }

    private async Task EnsureRepositoryAsync(CancellationToken cancellationToken)
    {
        try
        {
            _repo = RepoId.Dataset((await _hub.RepoInfoAsync(_repo, cancellationToken: cancellationToken).ConfigureAwait(false)).Id);
        }
        catch (HubException e) when (e.Kind == HubErrorKind.RepositoryNotFound)
        {
            await _hub.CreateRepoAsync(_repo, _options.Private, existOk: true, cancellationToken).ConfigureAwait(false);
        }

        if (_options.Revision is { } branch && !branch.StartsWith("refs/pr/", StringComparison.Ordinal))
        {
            await _hub.CreateBranchAsync(_repo, branch, existOk: true, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<(List<CommitOperation> Operations, CardUpdate.Split Split)> SendAsync(string name, ImageDataset dataset, string folder, CancellationToken cancellationToken)
    {
        var bytes = DatasetSize.Estimate(dataset);
        var count = _options.ShardCounts?.GetValueOrDefault(name) is > 0 and var asked ? asked : (int)(bytes / DatasetSize.Parse(_options.MaxShardSize)) + 1;
        var operations = new List<CommitOperation>();
        var uploaded = 0L;
        for (var i = 0; i < count; i++)
        {
            var shard = dataset.Shard(count, i);
            var file = Path.Combine(folder, $"{name}-{i:D5}-of-{count:D5}.parquet");
            ParquetShardWriter.Write(shard, file, _options.EmbedPictures, rowGroupRows: null, cancellationToken);
            uploaded += new FileInfo(file).Length;
            var sent = await _hub.PreuploadAsync(_repo, [new CommitAdd($"{DataDir}/{Path.GetFileName(file)}", file)], Commit, cancellationToken).ConfigureAwait(false);
            operations.AddRange(sent);
            if (sent.All(o => o is CommitLargeFile))
            {
                File.Delete(file);
            }
        }

        return (operations, new(name, dataset.Count, bytes, uploaded, ReplacedBytes: 0));
    }

    private async Task<CommitResult> CommitAllAsync(List<CommitOperation> additions, Features features, List<CardUpdate.Split> splits, CancellationToken cancellationToken)
    {
        var last = additions;
        if (additions.Count > FilesPerCommit)
        {
            var parts = additions.Chunk(FilesPerCommit).ToList();
            foreach (var (i, part) in parts.Index())
            {
                await RetryAsync(() => _hub.CommitAsync(_repo, part, $"{_options.CommitMessage} (part {i:D5}-of-{parts.Count:D5})", Commit, cancellationToken), cancellationToken).ConfigureAwait(false);
            }

            last = [];
        }

        var names = additions.Select(a => a.Path).ToHashSet(StringComparer.Ordinal);
        return await RetryAsync(
            async () =>
            {
                var head = await _hub.RepoInfoAsync(_repo, _options.Revision, cancellationToken).ConfigureAwait(false);
                var old = await OldFilesAsync(head, splits, cancellationToken).ConfigureAwait(false);
                var card = await CardAsync(head, features, [.. splits.Select(s => s with { ReplacedBytes = old.Where(f => IsShardOf(f.Path, s.Name)).Sum(f => f.Size) })], cancellationToken).ConfigureAwait(false);
                var deletions = old.Select(f => f.Path).Where(p => !names.Contains(p)).Order(CodePointComparer.Instance).Select(p => new CommitDelete(p));
                return await _hub.CommitAsync(_repo, [.. last, card, .. deletions], _options.CommitMessage, Commit with { ParentCommit = head.Commit }, cancellationToken).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
    }

    // Files that this push replaces: those of its splits, or all of the configuration where other splits do not stay.
    private async Task<List<TreeEntry>> OldFilesAsync(RepoInfo head, List<CardUpdate.Split> splits, CancellationToken cancellationToken)
    {
        var files = new List<TreeEntry>();
        if (head.Files.Any(f => f.StartsWith(DataDir + "/", StringComparison.Ordinal)))
        {
            await foreach (var entry in _hub.ListTreeAsync(_repo, head.Commit, DataDir, recursive: false, cancellationToken).ConfigureAwait(false))
            {
                files.Add(entry);
            }
        }

        return [.. files.Where(f => !f.IsFolder && (!_keepsOtherSplits || splits.Any(s => IsShardOf(f.Path, s.Name))))];
    }

    private bool IsShardOf(string path, string split) => path.StartsWith($"{DataDir}/{split}-", StringComparison.Ordinal);

    private async Task<CommitAdd> CardAsync(RepoInfo head, Features features, IReadOnlyList<CardUpdate.Split> splits, CancellationToken cancellationToken)
    {
        string? card = null;
        if (head.Files.Contains(CardName))
        {
            card = await File.ReadAllTextAsync(await _hub.DownloadFileAsync(_repo, CardName, head.Commit, cancellationToken: cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }

        return new CommitAdd(CardName, Encoding.UTF8.GetBytes(CardUpdate.Apply(card, _options.ConfigName, DataDir, features, splits, _keepsOtherSplits, _options.SetDefault)));
    }

    private static async Task<CommitResult> RetryAsync(Func<Task<CommitResult>> commit, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await commit().ConfigureAwait(false);
            }
            catch (HubException e) when (e.Kind is HubErrorKind.ParentChanged or HubErrorKind.Conflict && attempt < MaxAttempts)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100 * (attempt - 1)), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    [GeneratedRegex(@"^\w+(\.\w+)*$")]
    private static partial Regex SplitName();
}
