using Vizsla.Adapters;
using Vizsla.Hub;
using Vizsla.Models;

namespace Vizsla;

/// <content>From a Hub and to a Hub.</content>
public sealed partial class ImageClassifier
{
    /// <summary>Loads a model from a folder, or by its name from a Hub; its files come into the cache unless they are there.</summary>
    /// <param name="nameOrFolder">As <see cref="FromPretrained"/> takes it.</param>
    /// <param name="labels">Class names in order of their index; null keeps the model's. Another number of them needs a new head.</param>
    /// <param name="ignoreMismatchedSizes">Whether a head for another number of classes is replaced by a new one; HF: <c>ignore_mismatched_sizes</c>.</param>
    /// <param name="seed">Seeds torch's generator before new weights are drawn; null draws from it as it stands.</param>
    /// <param name="configure">Changes the configuration before the network is built, a dropout rate say; null leaves it.</param>
    /// <param name="revision">Branch, tag or commit; null means <c>main</c>.</param>
    /// <param name="token">Who asks; null takes who is logged in. Without effect where <paramref name="hub"/> is given.</param>
    /// <param name="hub">The Hub; stays the caller's. Null takes the one that the environment names.</param>
    /// <param name="progress">Told as bytes arrive, from several threads; null tells nobody.</param>
    /// <param name="cancellationToken">Stops the transfer.</param>
    /// <returns>The model in evaluation mode; the caller owns it.</returns>
    /// <exception cref="HubException">No such repository or revision, no access, or no connection and nothing cached.</exception>
    /// <exception cref="ModelLoadException">It is not known, or its weights do not fit; the exception carries the report.</exception>
    /// <remarks>The base model of an adapter is fetched too. Source: <c>AutoModelForImageClassification.from_pretrained(name, revision, token)</c>.</remarks>
    public static async Task<ImageClassifier> FromPretrainedAsync(
        string nameOrFolder,
        IReadOnlyList<string>? labels = null,
        bool ignoreMismatchedSizes = false,
        long? seed = null,
        Action<ModelConfiguration>? configure = null,
        string? revision = null,
        HubToken? token = null,
        HubClient? hub = null,
        IProgress<TransferProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrFolder);
        if (Path.Exists(nameOrFolder) || !RepoId.TryParse(nameOrFolder, RepoType.Model, out var repo) || repo!.Owner is null)
        {
            return FromPretrained(nameOrFolder, labels, ignoreMismatchedSizes, seed, configure, revision);
        }

        var folder = await HubClient.UseAsync(hub, token, client => PretrainedModels.FetchAsync(client, nameOrFolder, revision, progress, cancellationToken)).ConfigureAwait(false);
        if (AdapterConfig.IsIn(folder))
        {
            return LoadAdapter(AdapterFolder.Open(nameOrFolder, folder, baseModel: null), labels, configure);
        }

        return Load(ModelLocation.InFolder(nameOrFolder, folder), labels, ignoreMismatchedSizes, seed, configure);
    }

    /// <summary>Puts the model, its configuration and its image processor on a Hub, in one commit.</summary>
    /// <param name="repo"><c>owner/name</c>, or a name under your own account; made where it is missing.</param>
    /// <param name="isPrivate">Whether a repository that is made is private; null leaves it to its owner's settings.</param>
    /// <param name="message">Title of the commit; null is <c>Upload</c> and Python's class of the network.</param>
    /// <param name="revision">Branch; null means <c>main</c>.</param>
    /// <param name="token">Who pushes; null takes who is logged in. Without effect where <paramref name="hub"/> is given.</param>
    /// <param name="hub">The Hub; stays the caller's. Null takes the one that the environment names.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>The commit; the unchanged head when nothing differed.</returns>
    /// <exception cref="HubException">Nobody is logged in, the Hub refused, or the way to it broke.</exception>
    /// <exception cref="ArgumentException">The name is none of a repository.</exception>
    /// <remarks>Source: <c>PreTrainedModel.push_to_hub</c>.</remarks>
    public Task<CommitResult> PushToHubAsync(
        string repo, bool? isPrivate = null, string? message = null, string? revision = null, HubToken? token = null, HubClient? hub = null, CancellationToken cancellationToken = default) =>
        HubClient.UseAsync(hub, token, client => client.PushFilesAsync(RepoId.Model(repo), Save, message ?? $"Upload {Network.ClassName}", isPrivate, revision, cancellationToken));
}
