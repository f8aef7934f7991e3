using System.Collections.Concurrent;
using System.Security.Cryptography;
using Vizsla.Imaging;
using Vizsla.Studio.Hosting;

namespace Vizsla.Studio.Pictures;

/// <summary>Pictures that were uploaded: kept in a temporary folder of this process, by a name made of their content.</summary>
/// <remarks>The folder is emptied when the server stops, and the oldest pictures go when it holds too much.</remarks>
internal sealed class PictureStore : IDisposable
{
    /// <summary>The picture that the studio brings along.</summary>
    public const string Sample = "sample";

    private const long Capacity = 1L << 30;
    private const int KeptImages = 8;

    private readonly Lazy<string> _folder = new(() => Directory.CreateTempSubdirectory("vizsla-studio-").FullName);
    private readonly ConcurrentDictionary<string, long> _files = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _order = new();
    private readonly Dictionary<string, Lazy<Image>> _images = new(StringComparer.Ordinal);
    private readonly Queue<string> _imageOrder = new();
    private readonly Lock _lock = new();
    private readonly ServingOptions _options;

    public PictureStore(ServingOptions options) => _options = options;

    /// <summary>Keeps a picture after checking that it can be decoded.</summary>
    /// <param name="data">The bytes as they came.</param>
    /// <returns>Its name here.</returns>
    /// <exception cref="RefusedException">The picture is refused.</exception>
    public string Add(byte[] data)
    {
        PictureGuard.Decode(data, _options).Dispose();
        var id = Convert.ToHexStringLower(SHA256.HashData(data))[..20];
        if (_files.TryAdd(id, data.LongLength))
        {
            File.WriteAllBytes(PathOf(id), data);
            _order.Enqueue(id);
            Shrink();
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
    /// <exception cref="RefusedException">No such picture is kept (404).</exception>
    public Image Decode(string id)
    {
        Lazy<Image>? image;
        lock (_lock)
        {
            if (!_images.TryGetValue(id, out image))
            {
                image = new Lazy<Image>(() => PictureGuard.Decode(Read(id), _options));
                _images.Add(id, image);
                _imageOrder.Enqueue(id);
                if (_imageOrder.Count > KeptImages)
                {
                    // Somebody may still be reading it: its buffer is left to the collector.
                    _images.Remove(_imageOrder.Dequeue());
                }
            }
        }

        try
        {
            return image.Value;
        }
        catch (RefusedException)
        {
            lock (_lock)
            {
                _images.Remove(id);
            }

            throw;
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

    private static RefusedException Absent() => new(404, "This picture is not here any more; send it again.");
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
