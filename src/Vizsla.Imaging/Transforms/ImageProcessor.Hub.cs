using Vizsla.Hub;

namespace Vizsla.Transforms;

/// <content>From a Hub and to a Hub.</content>
public sealed partial record ImageProcessor
{
    private static readonly string[] s_files = ["preprocessor_config.json", "processor_config.json", "config.json"];

    /// <summary>Reads the processor of a model, in a folder or on a Hub.</summary>
    /// <param name="nameOrFolder">A folder as <see cref="FromPretrained"/> takes it, or <c>owner/name</c>.</param>
    /// <param name="revision">Branch, tag or commit; null means <c>main</c>.</param>
    /// <param name="token">Who asks; null takes who is logged in. Without effect where <paramref name="hub"/> is given.</param>
    /// <param name="hub">The Hub; stays the caller's. Null takes the one that the environment names.</param>
    /// <param name="cancellationToken">Stops the transfer.</param>
    /// <exception cref="HubException">No such repository or revision, no access, or no connection and nothing cached.</exception>
    /// <exception cref="FileNotFoundException">The model has no file that says how it wants its pictures.</exception>
    /// <exception cref="InvalidDataException">A file says something invalid; the message names the file and the key.</exception>
    /// <remarks>Source: <c>AutoImageProcessor.from_pretrained(name, revision, token)</c>.</remarks>
    public static async Task<ImageProcessor> FromPretrainedAsync(
        string nameOrFolder, string? revision = null, HubToken? token = null, HubClient? hub = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrFolder);
        if (Directory.Exists(nameOrFolder) || !RepoId.TryParse(nameOrFolder, RepoType.Model, out var repo))
        {
            return FromPretrained(nameOrFolder);
        }

        var options = new SnapshotOptions { AllowPatterns = s_files };
        return FromPretrained(await HubClient.UseAsync(hub, token, client => client.SnapshotDownloadAsync(repo!, revision, options, cancellationToken)).ConfigureAwait(false));
    }

    /// <summary>Puts <c>preprocessor_config.json</c> on a Hub.</summary>
    /// <param name="repo"><c>owner/name</c>, or a bare name for the logged-in user's namespace; created if missing.</param>
    /// <param name="isPrivate">Whether a repository that is made is private; null leaves it to its owner's settings.</param>
    /// <param name="message">Title of the commit.</param>
    /// <param name="revision">Branch; null means <c>main</c>.</param>
    /// <param name="token">Who pushes; null takes who is logged in. Without effect where <paramref name="hub"/> is given.</param>
    /// <param name="hub">The Hub; stays the caller's. Null takes the one that the environment names.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>The commit; the unchanged head when nothing differed.</returns>
    /// <exception cref="HubException">Nobody is logged in, the Hub refused, or the way to it broke.</exception>
    /// <exception cref="ArgumentException">The name is none of a repository.</exception>
    /// <remarks>Source: <c>ImageProcessingMixin.push_to_hub</c>.</remarks>
    public Task<CommitResult> PushToHubAsync(
        string repo, bool? isPrivate = null, string message = "Upload processor", string? revision = null, HubToken? token = null, HubClient? hub = null, CancellationToken cancellationToken = default) =>
        HubClient.UseAsync(hub, token, client => client.PushFilesAsync(RepoId.Model(repo), Save, message, isPrivate, revision, cancellationToken));
}
