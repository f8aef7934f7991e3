using System.Runtime.InteropServices;

namespace Vizsla.Native;

/// <summary>The cache sizes that oneDNN inside libtorch divides convolutions by.</summary>
/// <remarks>
/// oneDNN asks the processor once and keeps the answer in a static object (<c>Xbyak::util::Cpu</c>). Where a virtual machine hides the caches of an AMD
/// processor, oneDNN takes each level to have one byte; the blocks of some convolutions then have no columns, and their outputs are left unwritten.
/// With no level at all in that object, oneDNN takes sizes of its own (32 KiB, 512 KiB, 1 MiB), which is what later versions do.
/// The functions are not exported, but the library names them in its table of symbols. What oneDNN answers afterwards is checked; where it is not as it should be, nothing stays changed.
/// </remarks>
internal static unsafe class OneDnnCaches
{
    private const string ExportedName = "aoti_torch_abi_version";
    private const string ProcessorName = "_ZN4dnnl4impl3cpu3x643cpuEv";
    private const string CacheSizeName = "_ZN4dnnl4impl3cpu8platform23get_per_core_cache_sizeEi";
    private const string SetCapacityName = "dnnl_set_primitive_cache_capacity";
    private const string GetCapacityName = "dnnl_get_primitive_cache_capacity";

    // Words of the object: ten sizes, how many cores share each, and how many levels there are.
    private const int FirstSize = 0x1C / sizeof(uint);
    private const int FirstSharing = 0x44 / sizeof(uint);
    private const int LevelCount = 0x6C / sizeof(uint);
    private const int MostLevels = 10;

    // No processor that has AVX has a smaller one.
    private const uint SmallestCache = 8 * 1024;

    private static readonly Lazy<Functions?> Found = new(Look);

    /// <summary>What can be done about the sizes.</summary>
    internal enum Outcome
    {
        /// <summary>oneDNN had sizes that a processor can have.</summary>
        Right,

        /// <summary>It had none, and takes its own now.</summary>
        Patched,

        /// <summary>It cannot be asked, or could not be patched: the library is another one, or stripped.</summary>
        Unknown,
    }

    /// <summary>Has oneDNN take sizes of its own where it has none.</summary>
    public static Outcome Patch()
    {
        if (Found.Value is not { } functions)
        {
            return Outcome.Unknown;
        }

        if (AreSane(functions))
        {
            return Outcome.Right;
        }

        var words = functions.Processor();
        if (!HasTheLayout(functions, words))
        {
            return Outcome.Unknown;
        }

        var levels = words[LevelCount];
        words[LevelCount] = 0;
        if (!AreSane(functions))
        {
            words[LevelCount] = levels;
            return Outcome.Unknown;
        }

        ForgetKernels(functions);
        return Outcome.Patched;
    }

    /// <summary>Takes the sizes away from oneDNN, as a machine without them does; for tests.</summary>
    /// <returns>Whether it could be done.</returns>
    internal static bool Hide()
    {
        if (Found.Value is not { } functions)
        {
            return false;
        }

        var words = functions.Processor();
        if (words[LevelCount] != 0 && !HasTheLayout(functions, words))
        {
            return false;
        }

        words[LevelCount] = 3;
        for (var level = 0; level < 3; level++)
        {
            words[FirstSize + level] = 1;
            words[FirstSharing + level] = 1;
        }

        ForgetKernels(functions);
        return functions.CacheSize(1) == 1;
    }

    private static bool AreSane(Functions functions) =>
        functions.CacheSize(1) >= SmallestCache && functions.CacheSize(2) >= SmallestCache && functions.CacheSize(3) >= SmallestCache;

    /// <summary>Whether the object's words explain what oneDNN itself answers.</summary>
    private static bool HasTheLayout(Functions functions, uint* words)
    {
        if (words[LevelCount] is 0 or > MostLevels)
        {
            return false;
        }

        for (var level = 0; level < words[LevelCount]; level++)
        {
            if (words[FirstSharing + level] == 0 || words[FirstSize + level] / words[FirstSharing + level] != functions.CacheSize(level + 1))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Drops the kernels that were made for the sizes so far.</summary>
    private static void ForgetKernels(Functions functions)
    {
        int capacity;
        if (functions.GetCapacity is not null && functions.SetCapacity is not null && functions.GetCapacity(&capacity) == 0)
        {
            _ = functions.SetCapacity(0);
            _ = functions.SetCapacity(capacity);
        }
    }

    private static Functions? Look()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64 || !LibTorch.IsChecked)
        {
            return null;
        }

        var exported = LibTorch.Find(ExportedName);
        var file = NativeLibraries.Loaded().FirstOrDefault(f => Path.GetFileName(f) == "libtorch_cpu.so");
        if (exported == IntPtr.Zero || file is null)
        {
            return null;
        }

        try
        {
            var offsets = ElfSymbols.Find(file, ExportedName, ProcessorName, CacheSizeName, SetCapacityName, GetCapacityName);
            if (offsets[0] == 0 || offsets[1] == 0 || offsets[2] == 0)
            {
                return null;
            }

            var start = (ulong)exported - offsets[0];
            return new(
                (delegate* unmanaged<uint*>)(start + offsets[1]),
                (delegate* unmanaged<int, uint>)(start + offsets[2]),
                offsets[3] == 0 ? null : (delegate* unmanaged<int, int>)(start + offsets[3]),
                offsets[4] == 0 ? null : (delegate* unmanaged<int*, int>)(start + offsets[4]));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return null;
        }
    }

    private sealed class Functions(
        delegate* unmanaged<uint*> processor, delegate* unmanaged<int, uint> cacheSize,
        delegate* unmanaged<int, int> setCapacity, delegate* unmanaged<int*, int> getCapacity)
    {
        public readonly delegate* unmanaged<uint*> Processor = processor;
        public readonly delegate* unmanaged<int, uint> CacheSize = cacheSize;
        public readonly delegate* unmanaged<int, int> SetCapacity = setCapacity;
        public readonly delegate* unmanaged<int*, int> GetCapacity = getCapacity;
    }
}
