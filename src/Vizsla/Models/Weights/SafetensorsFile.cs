using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using static TorchSharp.torch;

namespace Vizsla.Models.Weights;

/// <summary>A file of named tensors, read through a memory map: a tensor costs nothing until it is asked for.</summary>
/// <remarks>Source: safetensors 0.8. Parity: the same files are refused, and what is written has the same bytes.</remarks>
internal sealed unsafe class SafetensorsFile : IDisposable
{
    private const int LengthBytes = 8;

    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly Dictionary<string, SafetensorsEntry> _byName;
    private readonly byte* _data;
    private bool _isDisposed;

    private SafetensorsFile(string path, long length)
    {
        Path = path;
        _map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, mapName: null, capacity: 0, MemoryMappedFileAccess.Read);
        _view = _map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        start += _view.PointerOffset;
        try
        {
            var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(start, LengthBytes));
            if (headerLength > SafetensorsHeader.MostBytes || (long)headerLength > length - LengthBytes)
            {
                throw Refuse($"it declares a header of {headerLength} bytes, but has {length} bytes in all and a header has at most {SafetensorsHeader.MostBytes}");
            }

            _data = start + LengthBytes + headerLength;
            (Metadata, var tensors) = SafetensorsHeader.Read(
                new ReadOnlySpan<byte>(start + LengthBytes, (int)headerLength), length - LengthBytes - (long)headerLength, Refuse);
            Tensors = tensors;
            _byName = tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The texts of <c>__metadata__</c>; null when the header has none.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; }

    /// <summary>The tensors in the order of their bytes.</summary>
    public IReadOnlyList<SafetensorsEntry> Tensors { get; }

    /// <summary>Opens a file and checks its whole header.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ModelLoadException">It is missing, or not a whole safetensors file; the message says why.</exception>
    public static SafetensorsFile Open(string path)
    {
        // In the Hub's cache a file is a link: its target has the bytes.
        var file = File.Exists(path) && File.ResolveLinkTarget(path, returnFinalTarget: true) is FileInfo target ? target : new FileInfo(path);
        if (!file.Exists)
        {
            throw new ModelLoadException($"There is no file '{path}'.");
        }

        return file.Length >= LengthBytes
            ? new SafetensorsFile(path, file.Length)
            : throw new ModelLoadException($"'{path}' is not a safetensors file: it has {file.Length} bytes, and the length of the header alone takes {LengthBytes}.");
    }

    /// <summary>Writes tensors as Python's <c>save_file</c> does, aside and then renamed.</summary>
    /// <param name="path">The file; replaced when it exists.</param>
    /// <param name="tensors">Names and tensors on any device.</param>
    /// <param name="metadata">Texts for <c>__metadata__</c>; <c>{"format": "pt"}</c> by default, which transformers asks for.</param>
    /// <exception cref="ArgumentException">A type cannot be written, or a name stands twice.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        SafetensorsWriter.Write(path, tensors, metadata);

    /// <summary>Whether the file holds a tensor of this name.</summary>
    /// <param name="name">Name of a tensor.</param>
    public bool Contains(string name) => _byName.ContainsKey(name);

    /// <summary>What the header says of a tensor.</summary>
    /// <param name="name">Name of a tensor.</param>
    /// <exception cref="ModelLoadException">The file holds no such tensor.</exception>
    public SafetensorsEntry Entry(string name) =>
        _byName.TryGetValue(name, out var entry) ? entry : throw new ModelLoadException($"'{Path}' holds no tensor '{name}'.");

    /// <summary>Copies a tensor out of the file.</summary>
    /// <param name="name">Name of a tensor.</param>
    /// <returns>A tensor on the CPU in the file's type and shape; the caller owns it.</returns>
    /// <exception cref="ModelLoadException">The file holds no such tensor, or torch has no such type.</exception>
    public Tensor Read(string name)
    {
        var entry = Entry(name);
        var type = SafetensorsType.ToTorch(entry.Type) ?? throw Refuse($"'{name}' is of type {entry.Type}, which torch cannot hold here");
        var result = empty([.. entry.Shape], dtype: type);
        CopyBytes(entry, result);
        return result;
    }

    /// <summary>Copies a tensor of the file into one that exists, converting its type.</summary>
    /// <param name="name">Name of a tensor.</param>
    /// <param name="destination">A tensor of the same shape.</param>
    /// <exception cref="ModelLoadException">The file holds no such tensor, or torch has no such type.</exception>
    public void CopyTo(string name, Tensor destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        var entry = Entry(name);
        if (destination.dtype == SafetensorsType.ToTorch(entry.Type) && destination.device_type == TorchSharp.DeviceType.CPU && destination.is_contiguous())
        {
            CopyBytes(entry, destination);
            return;
        }

        using var mode = no_grad();
        using var read = Read(name);
        destination.copy_(read);
    }

    /// <summary>Closes the map.</summary>
    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _map.Dispose();
        }
    }

    private void CopyBytes(SafetensorsEntry entry, Tensor destination)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (entry.Length > int.MaxValue)
        {
            throw Refuse($"'{entry.Name}' has {entry.Length} bytes; a single tensor of 2 GiB or more is not supported");
        }

        if (entry.Length > 0)
        {
            new ReadOnlySpan<byte>(_data + entry.Begin, (int)entry.Length).CopyTo(destination.bytes);
        }
    }

    private ModelLoadException Refuse(string reason) => new($"'{Path}' is not a whole safetensors file: {reason}.");
}
