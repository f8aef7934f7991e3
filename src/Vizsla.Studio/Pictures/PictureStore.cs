using System.Collections.Concurrent;
using System.Security.Cryptography;
using Vizsla.Hub.Cache;
using Vizsla.Imaging;
using Vizsla.Serving;
using Vizsla.Serving.Pictures;
using Vizsla.Studio.Hosting;

namespace Vizsla.Studio.Pictures;

/// <summary>Pictures that were uploaded: kept in a temporary folder of this process, by a name made of their content.</summary>
/// <remarks>The folder is emptied when the server stops, and the oldest pictures go when it holds too much.</remarks>
internal sealed class PictureStore : IDisposable
{
    /// <summary>The picture that ships with the studio.</summary>
    public const string Sample = "sample";

    private const long Capacity = 1L << 30;
    private const int KeptImages = 8;
    private const int KeptShare = 4;

    private readonly Lazy<string> _folder = new(() => Directory.CreateTempSubdirectory("vizsla-studio-").FullName);
    private readonly ConcurrentDictionary<string, long> _files = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _order = new();
    private readonly Dictionary<string, Task<Image>> _images = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Id, long Pixels)> _kept = [];
    private readonly Lock _lock = new();
    private readonly ServingOptions _options;
    private readonly DecodeBudget _budget;

    public PictureStore(ServingOptions options, DecodeBudget budget) => (_options, _budget) = (options, budget);

    /// <summary>Keeps a picture after checking that it can be decoded.</summary>
    /// <param name="data">The bytes as they came.</param>
    /// <param name="cancellationToken">Ends the wait for others to be decoded.</param>
    /// <returns>Its name here.</returns>
    /// <exception cref="RefusedException">The picture is refused.</exception>
    public async Task<string> AddAsync(byte[] data, CancellationToken cancellationToken)
    {
        PictureGuard.Check(data, _options);
        using (await _budget.TakeAsync(data, cancellationToken).ConfigureAwait(false))
        {
            PictureGuard.Decode(data, _options).Dispose();
        }

        var id = Convert.ToHexStringLower(SHA256.HashData(data))[..20];
        if (!_files.ContainsKey(id))
        {
            // Whole or not at all: a picture that is listed can be read.
            AtomicFile.Write(PathOf(id), stream => stream.Write(data));
            if (_files.TryAdd(id, data.LongLength))
            {
                _order.Enqueue(id);
                Shrink();
            }
        }

        return id;
    }

    /// <summary>Whether a picture of that name is kept.</summary>
    public bool Contains(string id) => id == Sample || _files.ContainsKey(id);

    /// <summary>The bytes as they came.</summary>
    /// <exception cref="RefusedException">No such picture is kept (404).</exception>
    public byte[] Read(string id)
    {
        if (id == Sample)
        {
            return EmbeddedAssets.ReadBytes("_content/Vizsla.Studio/sample.jpg");
        }

        try
        {
            return _files.ContainsKey(id) ? File.ReadAllBytes(PathOf(id)) : throw Absent();
        }
        catch (IOException)
        {
            throw Absent();
        }
    }

    /// <summary>The decoded picture, upright; the store keeps the last few, so that a moving slider decodes once.</summary>
    /// <returns>The store owns it; it is never changed.</returns>
    /// <exception cref="RefusedException">No such picture is kept (404), or it waited too long for others (503).</exception>
    public async Task<Image> DecodeAsync(string id)
    {
        Task<Image>? image;
        lock (_lock)
        {
            if (!_images.TryGetValue(id, out image) || image.IsFaulted)
            {
                _images[id] = image = Task.Run(() => LoadAsync(id));
            }
        }

        return await image.ConfigureAwait(false);
    }

    private async Task<Image> LoadAsync(string id)
    {
        var data = Read(id);
        using (await _budget.TakeAsync(data, CancellationToken.None).ConfigureAwait(false))
        {
            var image = PictureGuard.Decode(data, _options);
            lock (_lock)
            {
                _kept.AddLast((id, (long)image.Width * image.Height));
                while (_kept.Count > KeptImages || (_kept.Count > 1 && _kept.Sum(k => k.Pixels) > _budget.Limit / KeptShare))
                {
                    // Somebody may still be reading it: its buffer is left to the collector.
                    _images.Remove(_kept.First!.Value.Id);
                    _kept.RemoveFirst();
                }
            }

            return image;
        }
    }

    /// <summary>Empties the folder.</summary>
    public void Dispose()
    {
        if (_folder.IsValueCreated && Directory.Exists(_folder.Value))
        {
            Directory.Delete(_folder.Value, recursive: true);
        }
    }

    private void Shrink()
    {
        while (_files.Values.Sum() > Capacity && _order.TryDequeue(out var oldest) && _files.TryRemove(oldest, out _))
        {
            File.Delete(PathOf(oldest));
        }
    }

    // Names are made here from a digest; no part of a request ever becomes a part of a path.
    private string PathOf(string id) => Path.Combine(_folder.Value, id);

    private static RefusedException Absent() => new(404, "This picture has been removed; upload it again.");
}

/// <summary>A picture that a page was given.</summary>
/// <param name="Name">The file's name.</param>
/// <param name="Id">Its name in the store; null when it was refused.</param>
/// <param name="Problem">Why it was refused.</param>
public sealed record ReceivedPicture(string Name, string? Id, string? Problem);

/// <summary>A picture to click on.</summary>
/// <param name="Name">What it shows.</param>
/// <param name="Address">Where its thumbnail is.</param>
/// <param name="Bytes">Its content, looked up when it is clicked.</param>
public sealed record PictureExample(string Name, string Address, Func<byte[]> Bytes);
