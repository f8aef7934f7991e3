using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Vizsla.Hub;
using Vizsla.Training.Callbacks;

namespace Vizsla.Runs;

/// <summary>Pushes a run to a Hub beside its training, one push after another, on threads of the pool.</summary>
/// <remarks>
/// A Hub that fails never fails the run: it is logged, written to the run's events, and the next push tries again.
/// Used from one thread. Source: <c>Trainer.init_hf_repo</c>, <c>_push_from_checkpoint</c>, <c>_finish_current_push</c> of transformers. Parity: titles and places of the commits.
/// </remarks>
internal sealed partial class HubPublisher : IDisposable
{
    private const string MainBranch = "main";

    private readonly TrainingArguments _arguments;
    private readonly EventLog _events;
    private readonly ILogger _logger;
    private readonly HubClient _client;
    private readonly bool _ownsClient;
    private volatile RepoId? _repo;
    private volatile Exception? _away;
    private volatile bool _isEnding;
    private Task _last = Task.CompletedTask;
    private Task _lastPush = Task.CompletedTask;

    /// <param name="arguments">Repository, branch, strategy, token.</param>
    /// <param name="hub">The Hub; null takes the one that the environment names.</param>
    /// <param name="events">Receives what became of each push.</param>
    /// <param name="logger">Receives failures.</param>
    /// <exception cref="HubException">There is no token.</exception>
    public HubPublisher(TrainingArguments arguments, HubClient? hub, EventLog events, ILogger logger)
    {
        (_arguments, _events, _logger, _ownsClient) = (arguments, events, logger, hub is null);
        _client = hub ?? HubClient.Of(arguments.HubToken, logger);
        if (_client.Options.Token is null)
        {
            throw new HubException(HubErrorKind.Unauthorized, "push_to_hub needs an access token: log in with 'vizsla login', set HF_TOKEN, or leave push_to_hub out.");
        }
    }

    /// <summary>The repository with its owner; null until the Hub has told it.</summary>
    public string? Repository => _repo?.Id ?? (_arguments.HubModelId?.Contains('/', StringComparison.Ordinal) == true ? _arguments.HubModelId : null);

    /// <summary>Whether a push is under way.</summary>
    public bool IsBusy => !_lastPush.IsCompleted;

    /// <summary>Makes the repository, beside the training.</summary>
    public void Prepare() => _last = QueueAsync(_last, "Make the repository", staged: null, step: 0, checkpoint: null);

    /// <summary>Pushes files, beside the training.</summary>
    /// <param name="state">Where the run stands.</param>
    /// <param name="message">Title of the commit; that of the checkpoint's has <c>, checkpoint</c> after it.</param>
    /// <param name="checkpoint">Checkpoint whose model is pushed; null takes the run folder's.</param>
    public void Push(TrainerState state, string message, string? checkpoint)
    {
        if (IsBusy && !_arguments.HubAlwaysPush)
        {
            _events.Write("push_skipped", new JsonObject { ["step"] = state.GlobalStep, ["message"] = message });
            return;
        }

        try
        {
            _last = _lastPush = QueueAsync(_last, message, Stage(state, checkpoint), state.GlobalStep, checkpoint);
        }
        catch (Exception e)
        {
            Failed(state.GlobalStep, message, e);
        }
    }

    /// <summary>Pushes the run folder after everything that is under way.</summary>
    /// <param name="state">Where the run stands.</param>
    /// <param name="message">Title of the commit.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="HubException">The Hub refused, or the way to it broke.</exception>
    /// <exception cref="IOException">A file of the run cannot be read or copied.</exception>
    public async Task<CommitResult> PushLastAsync(TrainerState state, string message, CancellationToken cancellationToken)
    {
        await _last.ConfigureAwait(false);
        StagedPush? staged = null;
        try
        {
            staged = Stage(state, checkpoint: null);
            var result = await SendAsync(staged, message, null, cancellationToken).ConfigureAwait(false);
            Done(state.GlobalStep, message, result);
            return result;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Failed(state.GlobalStep, message, e);
            throw;
        }
        finally
        {
            staged?.Discard();
        }
    }

    /// <summary>Whether pushes are waited for, and so none of those that wait asks once more a Hub that was just away.</summary>
    public bool IsEnding => _isEnding;

    /// <summary>Waits for the pushes under way; they never wait for the thread that calls this.</summary>
    public void Join()
    {
        _isEnding = true;
        if (IsBusy)
        {
            Waiting(_logger);
        }

        _last.GetAwaiter().GetResult();
        _isEnding = false;
    }

    public void Dispose()
    {
        Join();
        if (_ownsClient)
        {
            _client.Dispose();
        }
    }

    private StagedPush Stage(TrainerState state, string? checkpoint) => StagedPush.Take(
        _arguments.OutputDir, state.GlobalStep, checkpoint, _arguments.HubStrategy is HubStrategy.Checkpoint or HubStrategy.AllCheckpoints);

    private async Task QueueAsync(Task before, string message, StagedPush? staged, int step, string? checkpoint)
    {
        // Yields even when nothing is under way: not a byte is read on the training's thread.
        await before.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            if (_isEnding && _away is { } away)
            {
                Failed(step, message, away);
            }
            else if (staged is null)
            {
                await RepositoryAsync(CancellationToken.None).ConfigureAwait(false);
            }
            else
            {
                Done(step, message, await SendAsync(staged, message, checkpoint, CancellationToken.None).ConfigureAwait(false));
            }
        }
        catch (Exception e)
        {
            // Whatever it is: a push never fails the run.
            Failed(step, message, e);
        }
        finally
        {
            staged?.Discard();
        }
    }

    private async Task<CommitResult> SendAsync(StagedPush staged, string message, string? checkpoint, CancellationToken cancellationToken)
    {
        var repo = await RepositoryAsync(cancellationToken).ConfigureAwait(false);
        var commit = new CommitOptions { Revision = _arguments.HubRevision ?? MainBranch };
        var result = await _client.UploadFolderAsync(repo, staged.Run, new UploadFolderOptions { Message = message, Commit = commit }, cancellationToken).ConfigureAwait(false);
        if (staged.Checkpoint is { } folder)
        {
            var place = _arguments.HubStrategy is HubStrategy.Checkpoint ? "last-checkpoint" : Path.GetFileName(checkpoint!);
            result = await _client.UploadFolderAsync(repo, folder, new UploadFolderOptions { PathInRepo = place, Message = message + ", checkpoint", Commit = commit }, cancellationToken).ConfigureAwait(false);
        }

        return result;
    }

    private async Task<RepoId> RepositoryAsync(CancellationToken cancellationToken)
    {
        if (_repo is null)
        {
            var repo = await _client.WithOwnerAsync(RepoId.Model(_arguments.HubRepository), cancellationToken).ConfigureAwait(false);
            await _client.CreateRepoAsync(repo, _arguments.HubPrivateRepo, existOk: true, cancellationToken).ConfigureAwait(false);
            if (_arguments.HubRevision is { } branch and not MainBranch)
            {
                await _client.CreateBranchAsync(repo, branch, existOk: true, cancellationToken: cancellationToken).ConfigureAwait(false);
            }

            _repo = repo;
        }

        return _repo;
    }

    private void Done(int step, string message, CommitResult result)
    {
        _away = null;
        _events.Write("push", new JsonObject { ["step"] = step, ["message"] = message, ["repo"] = _repo!.Id, ["commit"] = result.Commit });
    }

    private void Failed(int step, string message, Exception e)
    {
        _away = e is HubException { Kind: HubErrorKind.Connection or HubErrorKind.ServerError } ? e : null;
        _events.Write("push_failed", new JsonObject { ["step"] = step, ["message"] = message, ["repo"] = _arguments.HubRepository, ["error"] = e.Message });
        Unsent(_logger, message, e.Message);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The push '{Title}' failed, and the training goes on: {Reason}")]
    private static partial void Unsent(ILogger logger, string title, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Waiting for the push in progress.")]
    private static partial void Waiting(ILogger logger);
}

/// <summary>Makes the repository when a run begins and pushes its saves, as <c>hub_strategy</c> says.</summary>
internal sealed class PublishCallback(HubPublisher publisher) : TrainerCallback
{
    public override void OnTrainBegin(TrainerContext context) => publisher.Prepare();

    public override void OnSave(TrainerContext context, string folder)
    {
        if (context.Arguments.HubStrategy != HubStrategy.End)
        {
            publisher.Push(context.State, Title(context), folder);
        }
    }

    private static string Title(TrainerContext context) => context.Arguments.SaveStrategy == SaveStrategy.Steps
        ? $"Training in progress, step {context.State.GlobalStep}"
        : $"Training in progress, epoch {(int)context.State.Epoch}";
}
