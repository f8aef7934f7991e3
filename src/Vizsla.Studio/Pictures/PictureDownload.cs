using System.Net;
using System.Net.Sockets;
using Vizsla.Serving;
using Vizsla.Serving.Pictures;

namespace Vizsla.Studio.Pictures;

/// <summary>Gets a picture from an address that a person typed: from public hosts alone, so that nobody reaches through this server what only it can reach.</summary>
internal sealed class PictureDownload : IDisposable
{
    private const int BadRequest = 400;
    private const int MaxRedirects = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    // Addresses that lead to this computer, to its network, or to nobody.
    private static readonly IPNetwork[] Inner =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
            "::/127", "fc00::/7", "fe80::/10", "ff00::/8", "64:ff9b::/96", "2002::/16",
        }.Select(IPNetwork.Parse),
    ];

    private readonly ServingOptions _options;
    private readonly Func<IPAddress, bool> _isAllowed;
    private readonly HttpClient _client;

    public PictureDownload(ServingOptions options)
        : this(options, IsPublic)
    {
    }

    internal PictureDownload(ServingOptions options, Func<IPAddress, bool> isAllowed)
    {
        (_options, _isAllowed) = (options, isAllowed);
        _client = new HttpClient(new SocketsHttpHandler { UseCookies = false, UseProxy = false, MaxAutomaticRedirections = MaxRedirects, ConnectCallback = ConnectAsync }) { Timeout = Patience };
    }

    /// <summary>Whether an address is one of the public internet.</summary>
    public static bool IsPublic(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return !Inner.Any(net => net.BaseAddress.AddressFamily == plain.AddressFamily && net.Contains(plain));
    }

    /// <summary>The bytes at an address.</summary>
    /// <param name="address">An address of http or https.</param>
    /// <exception cref="RefusedException">It is no such address, leads to a host that is not public, does not answer, or holds too much.</exception>
    public async Task<byte[]> ReadAsync(string address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            throw new RefusedException(BadRequest, $"'{address}' is not the address of a picture. Expected one such as https://example.org/photo.jpg.");
        }

        try
        {
            using var response = await _client.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
            {
                throw new RefusedException(BadRequest, Invariant($"'{uri.Host}' answers {(int)response.StatusCode} instead of a picture."));
            }

            using var body = await response.Content.ReadAsStreamAsync().ConfigureAwait(false);
            using var patience = new CancellationTokenSource(Patience);
            return await PictureGuard.ReadAsync(body, _options.MaxPictureBytes, patience.Token).ConfigureAwait(false);
        }
        catch (HttpRequestException e) when (e.InnerException is RefusedException refused)
        {
            throw new RefusedException(refused.Status, refused.Message);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
        {
            throw new RefusedException(BadRequest, $"'{uri.Host}' does not answer.");
        }
    }

    public void Dispose() => _client.Dispose();

    // Asked for each connection, after the name was looked up: a name, or a redirect, cannot lead inside.
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var host = context.DnsEndPoint.Host;
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false);
        var allowed = Array.FindAll(addresses, address => _isAllowed(address));
        if (allowed.Length == 0)
        {
            throw new RefusedException(BadRequest, $"'{host}' is not a public host. Save the picture and drop it here.");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
