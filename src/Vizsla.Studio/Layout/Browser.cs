using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;

namespace Vizsla.Studio.Layout;

/// <summary>The functions of studio.js, for one open page.</summary>
internal sealed class Browser(IJSRuntime script) : IAsyncDisposable
{
    private readonly Lazy<Task<IJSObjectReference>> _module =
        new(() => script.InvokeAsync<IJSObjectReference>("import", "/_content/Vizsla.Studio/studio.js").AsTask());

    private readonly Dictionary<string, object?> _changes = [];
    private string? _opened;

    /// <summary>Whether dark colors were chosen here, or else are preferred by the system.</summary>
    public Task<bool> IsDarkAsync() => CallAsync<bool>("isDark");

    /// <summary>Keeps the choice of colors in this browser.</summary>
    public Task RememberDarkAsync(bool dark) => CallAsync("rememberDark", dark);

    /// <summary>Puts the page's state into the address without a new entry in the history.</summary>
    public Task ReplaceAddressAsync(string address) => CallAsync("replaceAddress", address);

    /// <summary>Changes parts of the page's address and keeps the others, without a new entry in the history.</summary>
    /// <param name="navigation">Knows the address that the page was opened with; changes since are known here.</param>
    /// <param name="changes">Value of each parameter; null takes it away.</param>
    public Task RememberAsync(NavigationManager navigation, IEnumerable<KeyValuePair<string, object?>> changes)
    {
        if (_opened != navigation.Uri)
        {
            _opened = navigation.Uri;
            _changes.Clear();
        }

        foreach (var (key, value) in changes)
        {
            _changes[key] = value;
        }

        return ReplaceAddressAsync(navigation.GetUriWithQueryParameters(_changes));
    }

    /// <summary>Shows a dialog above the page, which takes the keyboard until it is closed.</summary>
    public Task OpenDialogAsync(ElementReference element) => CallAsync("openDialog", element);

    /// <summary>Shows a figure whole again.</summary>
    public Task ResetZoomAsync(ElementReference element) => CallAsync("resetZoom", element);

    /// <summary>Hands a figure to the user as a PNG.</summary>
    public Task SaveChartAsync(ElementReference element, string name) => CallAsync("saveChart", element, name);

    /// <summary>Draws points on a plane that can be moved and zoomed; the number of one that is chosen is handed to <c>ChooseAsync</c>.</summary>
    public Task DrawPlaneAsync<TPoint, TReceiver>(ElementReference element, IReadOnlyList<TPoint> points, DotNetObjectReference<TReceiver> receiver)
        where TReceiver : class => CallAsync("drawPlane", element, points, receiver);

    /// <summary>Puts text into the clipboard.</summary>
    public Task<bool> CopyAsync(string text) => CallAsync<bool>("copy", text);

    /// <summary>Hands a text to the user as a file.</summary>
    public Task SaveAsync(string name, string type, string text) => CallAsync("save", name, type, text);

    /// <summary>Draws a figure, or changes the one that is drawn.</summary>
    public Task DrawAsync(ElementReference element, string figure) => CallAsync("draw", element, figure);

    /// <summary>Forgets a drawn figure.</summary>
    public Task EraseAsync(ElementReference element) => CallAsync("erase", element);

    /// <summary>Lets pictures be dropped on an element, pasted anywhere and chosen; each is uploaded and its answer handed to <c>Received</c>.</summary>
    public Task AcceptPicturesAsync<T>(ElementReference element, DotNetObjectReference<T> receiver)
        where T : class => CallAsync("acceptPictures", element, receiver);

    /// <summary>Opens the file picker or the camera of an element that accepts pictures.</summary>
    public Task PickAsync(ElementReference element, bool camera) => CallAsync("pick", element, camera);

    public async ValueTask DisposeAsync()
    {
        if (!_module.IsValueCreated)
        {
            return;
        }

        try
        {
            var module = await _module.Value.ConfigureAwait(false);
            await module.DisposeAsync().ConfigureAwait(false);
        }
        catch (JSDisconnectedException)
        {
            // The page is gone, and the module with it.
        }
    }

    private async Task<T> CallAsync<T>(string function, params object?[] arguments)
    {
        var module = await _module.Value.ConfigureAwait(false);
        return await module.InvokeAsync<T>(function, arguments).ConfigureAwait(false);
    }

    private async Task CallAsync(string function, params object?[] arguments)
    {
        try
        {
            var module = await _module.Value.ConfigureAwait(false);
            await module.InvokeVoidAsync(function, arguments).ConfigureAwait(false);
        }
        catch (Exception e) when (e is JSDisconnectedException or ObjectDisposedException or OperationCanceledException)
        {
            // The page was closed meanwhile.
        }
    }
}
