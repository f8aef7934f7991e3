using System.Net;
using System.Net.Sockets;

namespace Vizsla.Testing.Hub;

/// <summary>Two ports of 127.0.0.1, a hub and its storage, whose every byte a test decides.</summary>
public sealed class RawServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TcpListener _hub = new(IPAddress.Loopback, 0);
    private readonly TcpListener _storage = new(IPAddress.Loopback, 0);
    private readonly Func<RawRequest, RawAnswer> _answer;
    private readonly Task[] _loops;

    /// <param name="answer">Answers a request; called from several threads, one at a time.</param>
    public RawServer(Func<RawRequest, RawAnswer> answer)
    {
        _answer = answer;
        _hub.Start();
        _storage.Start();
        _loops = [AcceptAsync(_hub, isStorage: false), AcceptAsync(_storage, isStorage: true)];
    }

    /// <summary>Address of the hub.</summary>
    public Uri Hub => new($"http://127.0.0.1:{((IPEndPoint)_hub.LocalEndpoint).Port}");

    /// <summary>Address of the storage, another origin.</summary>
    public Uri Storage => new($"http://127.0.0.1:{((IPEndPoint)_storage.LocalEndpoint).Port}");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _hub.Stop();
        _storage.Stop();
        await Task.WhenAll(_loops);
        _stop.Dispose();
    }

    private async Task AcceptAsync(TcpListener listener, bool isStorage)
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(ServeAsync(await listener.AcceptTcpClientAsync(_stop.Token), isStorage));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(TcpClient client, bool isStorage)
    {
        using (client)
        {
            try
            {
                using var stream = client.GetStream();
                while (await RawRequest.ReadAsync(stream, isStorage, _stop.Token) is { } request)
                {
                    RawAnswer answer;
                    lock (_stop)
                    {
                        answer = _answer(request);
                    }

                    if (!await answer.WriteAsync(stream, request.Method, _stop.Token))
                    {
                        return;
                    }
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
            {
                // The client has gone, or the test is over.
            }
        }
    }
}
