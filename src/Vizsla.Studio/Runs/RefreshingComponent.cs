using Microsoft.AspNetCore.Components;

namespace Vizsla.Studio.Runs;

/// <summary>A page that refreshes every second while it is open.</summary>
public abstract class RefreshingComponent : ComponentBase, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _closed = new();

    [Inject] private TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>Stops looking.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Looks; returns whether anything changed.</summary>
    private protected abstract bool Refresh();

    /// <inheritdoc />
    protected override void OnAfterRender(bool firstRender)
    {
        if (firstRender)
        {
            _ = LookAgainAsync();
        }
    }

    /// <summary>Stops looking.</summary>
    /// <param name="disposing">Whether the page is closed, as opposed to forgotten.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _closed.Cancel();
            _closed.Dispose();
        }
    }

    private async Task LookAgainAsync()
    {
        using var timer = new PeriodicTimer(Interval, Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_closed.Token).ConfigureAwait(false))
            {
                await InvokeAsync(() =>
                {
                    if (Refresh())
                    {
                        StateHasChanged();
                    }
                }).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The page was closed.
        }
    }
}
