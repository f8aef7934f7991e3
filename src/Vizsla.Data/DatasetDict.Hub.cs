using Vizsla.Datasets;
using Vizsla.Datasets.Readers;
using Vizsla.Datasets.Writers;
using Vizsla.Hub;

namespace Vizsla;

/// <content>From a Hub and to a Hub.</content>
public sealed partial class DatasetDict
{
    /// <summary>Loads the splits of a folder, or of a dataset on a Hub, which is downloaded to the cache.</summary>
    /// <param name="nameOrFolder">Path of a folder that exists, or <c>owner/name</c>.</param>
    /// <param name="options">What to do differently; null for nothing.</param>
    /// <param name="revision">Branch, tag or commit on the Hub; null takes <c>main</c>.</param>
    /// <param name="hub">The Hub; null takes the one that the environment names.</param>
    /// <param name="progress">Receives the bytes transferred, from several threads; may be null.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="DatasetException">Neither a folder nor the name of a dataset, or no dataset that can be read.</exception>
    /// <exception cref="HubException">The Hub refused, or the way to it broke and the dataset is not cached.</exception>
    /// <remarks>Source: <c>load_dataset(path)</c>.</remarks>
    public static Task<DatasetDict> LoadAsync(
        string nameOrFolder, DatasetLoadOptions? options = null, string? revision = null, HubClient? hub = null, IProgress<TransferProgress>? progress = null, CancellationToken cancellationToken = default) =>
        HubDatasetReader.LoadAsync(nameOrFolder, options ?? new(), revision, hub, progress, cancellationToken);

    /// <summary>Puts all splits on a Hub as a configuration, in place of what that configuration held.</summary>
    /// <param name="repo"><c>owner/name</c>; created if missing.</param>
    /// <param name="options">How; null takes the defaults.</param>
    /// <param name="hub">The Hub; null takes the one that the environment names.</param>
    /// <param name="cancellationToken">Stops; what was sent is not sent again the next time.</param>
    /// <exception cref="DatasetException">A name or the columns do not fit, or a picture cannot be read.</exception>
    /// <exception cref="HubException">The Hub refused, or the way to it broke.</exception>
    /// <remarks>Source: <c>DatasetDict.push_to_hub</c>.</remarks>
    public Task<CommitResult> PushToHubAsync(string repo, DatasetPushOptions? options = null, HubClient? hub = null, CancellationToken cancellationToken = default) =>
        HubClient.UseAsync(hub, token: null, client => DatasetPush.RunAsync(client, RepoId.Dataset(repo), this, options ?? new(), keepsOtherSplits: false, cancellationToken));
}
