using System.IO.Compression;
using System.Numerics;
using static TorchSharp.torch;

namespace Vizsla.Models.Weights;

/// <summary>A file of <c>torch.save</c>, such as <c>pytorch_model.bin</c>, read without running anything of it.</summary>
/// <remarks>Both layouts are read: the zip archive of torch 1.6 and later, and the older row of pickles. Source: <c>torch.serialization</c>.</remarks>
internal sealed class PickleCheckpoint : IDisposable
{
    private const int MostPickleBytes = 1 << 29;
    private const int CopyBuffer = 1 << 20;
    private static readonly BigInteger _legacyMagic = BigInteger.Parse("119547037146038801333356", System.Globalization.CultureInfo.InvariantCulture);
    private static readonly string[] _nested = ["state_dict", "model", "module"];

    private readonly string _path;
    private readonly PickleCalls _calls;
    private readonly FileStream _stream;
    private readonly Dictionary<string, (long Begin, long Length)> _legacyStorages = new(StringComparer.Ordinal);
    private readonly ZipArchive? _archive;
    private readonly string _folder = "";

    private PickleCheckpoint(string path, bool keepOtherObjects)
    {
        _path = path;
        _calls = new PickleCalls(path, keepOtherObjects);
        _stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        try
        {
            if (_stream.ReadByte() == 'P')
            {
                _stream.Position = 0;
                _archive = new ZipArchive(_stream, ZipArchiveMode.Read, leaveOpen: true);
                var pickle = _archive.Entries.FirstOrDefault(e => e.FullName.EndsWith("/data.pkl", StringComparison.Ordinal))
                    ?? throw _calls.Refuse("it is a zip archive without data.pkl");
                _folder = pickle.FullName[..^"data.pkl".Length];
                using var copy = new MemoryStream(Contents(pickle));
                Root = new PickleReader(copy, _calls).Read();
            }
            else
            {
                _stream.Position = 0;
                Root = ReadLegacy();
            }
        }
        catch (InvalidDataException e)
        {
            Dispose();
            throw new ModelLoadException($"'{path}' is not a whole file of torch.save: {e.Message}", e);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What was saved: dictionaries, lists (<see cref="List{T}"/>), tuples (arrays), numbers, texts, and <see cref="PickleTensor"/> for tensors.</summary>
    public object? Root { get; }

    /// <summary>The tensors by name, where the file holds a dictionary of them, or one below <c>state_dict</c> or <c>model</c>.</summary>
    /// <exception cref="ModelLoadException">It holds something else.</exception>
    public IReadOnlyDictionary<string, PickleTensor> Tensors => field ??= NamedTensors(Root)
        ?? throw new ModelLoadException($"'{_path}' holds no dictionary of tensors; expected the weights of a model.");

    /// <summary>Opens a file and reads what it describes, but no tensor yet.</summary>
    /// <param name="path">The file.</param>
    /// <param name="keepOtherObjects">
    /// Whether objects that are no tensors (the state of numpy's generator, say) are kept as <see cref="PickleObject"/>; by default they are refused.
    /// </param>
    /// <exception cref="ModelLoadException">It is missing or damaged, or asks for anything but tensors.</exception>
    public static PickleCheckpoint Open(string path, bool keepOtherObjects = false) =>
        File.Exists(path) ? new PickleCheckpoint(path, keepOtherObjects) : throw new ModelLoadException($"There is no file '{path}'.");

    /// <summary>Copies a tensor out of the file.</summary>
    /// <param name="tensor">One of this file's tensors.</param>
    /// <returns>A tensor on the CPU; the caller owns it.</returns>
    /// <exception cref="ModelLoadException">Its bytes are missing or too few.</exception>
    public Tensor Read(PickleTensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using var scope = NewDisposeScope();
        var flat = ReadStorage(tensor);
        return flat.as_strided([.. tensor.Shape], [.. tensor.Strides], tensor.Offset).clone().MoveToOuterDisposeScope();
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        _archive?.Dispose();
        _stream.Dispose();
    }

    private Tensor ReadStorage(PickleTensor tensor)
    {
        var wanted = (Int128)tensor.StorageLength * SafetensorsType.ElementSize(tensor.Type);
        if (_archive is null)
        {
            if (!_legacyStorages.TryGetValue(tensor.Storage, out var at) || at.Length < tensor.StorageLength)
            {
                throw _calls.Refuse($"the storage '{tensor.Storage}' is missing or cut");
            }

            _stream.Position = at.Begin;
            return Fill(tensor, _stream);
        }

        var entry = _archive.GetEntry($"{_folder}data/{tensor.Storage}");
        if (entry is null || entry.Length < wanted || entry.CompressedLength != entry.Length)
        {
            throw _calls.Refuse($"the storage '{tensor.Storage}' is missing, cut or compressed");
        }

        using var storage = entry.Open();
        return Fill(tensor, storage);
    }

    private Tensor Fill(PickleTensor tensor, Stream bytes)
    {
        var flat = empty([tensor.StorageLength], dtype: tensor.Type);
        if (tensor.StorageLength > 0)
        {
            try
            {
                flat.ReadBytesFromStream(bytes, CopyBuffer);
            }
            catch (Exception e) when (e is EndOfStreamException or InvalidDataException)
            {
                throw _calls.Refuse($"the storage '{tensor.Storage}' is cut or damaged");
            }
        }

        return flat;
    }

    private byte[] Contents(ZipArchiveEntry entry)
    {
        if (entry.Length > MostPickleBytes || entry.CompressedLength != entry.Length)
        {
            throw _calls.Refuse($"its description of {entry.Length} bytes is compressed or longer than {MostPickleBytes} bytes");
        }

        var bytes = new byte[entry.Length];
        using var stream = entry.Open();
        try
        {
            stream.ReadExactly(bytes);
        }
        catch (EndOfStreamException)
        {
            throw _calls.Refuse("its description is cut");
        }

        return bytes;
    }

    /// <summary>Magic number, protocol, system, the object, the keys of the storages, then each storage with its length before it.</summary>
    private object? ReadLegacy()
    {
        if (new PickleReader(_stream, _calls).Read() is not BigInteger magic || magic != _legacyMagic)
        {
            throw _calls.Refuse("it is not a file of torch.save");
        }

        _ = new PickleReader(_stream, _calls).Read();
        _ = new PickleReader(_stream, _calls).Read();
        var root = new PickleReader(_stream, _calls).Read();
        if (new PickleReader(_stream, _calls).Read() is not List<object?> keys)
        {
            throw _calls.Refuse("it lists no storages");
        }

        var sizes = _calls.StorageSizes;
        var length = new byte[sizeof(long)];
        foreach (var key in keys)
        {
            if (key is not string name || !sizes.TryGetValue(name, out var elementSize) || _stream.ReadAtLeast(length, length.Length, throwOnEndOfStream: false) < length.Length)
            {
                throw _calls.Refuse("its storages are cut");
            }

            var elements = BitConverter.ToInt64(length);
            if (elements < 0 || (Int128)elements * elementSize > _stream.Length - _stream.Position)
            {
                throw _calls.Refuse($"the storage '{name}' is cut");
            }

            _legacyStorages[name] = (_stream.Position, elements);
            _stream.Position += elements * elementSize;
        }

        return root;
    }

    private static Dictionary<string, PickleTensor>? NamedTensors(object? root)
    {
        if (root is not Dictionary<object, object?> map)
        {
            return null;
        }

        foreach (var key in _nested)
        {
            if (map.TryGetValue(key, out var inner) && inner is Dictionary<object, object?>)
            {
                return NamedTensors(inner);
            }
        }

        var tensors = map.Where(m => m.Key is string && m.Value is PickleTensor).ToDictionary(m => (string)m.Key, m => (PickleTensor)m.Value!, StringComparer.Ordinal);
        return tensors.Count == map.Count ? tensors : null;
    }
}
