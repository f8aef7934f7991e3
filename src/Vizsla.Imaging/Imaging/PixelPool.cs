using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Vizsla.Imaging;

/// <summary>Buffers for the pixels of pictures and what is made of them. All threads share what is kept, and it is bounded.</summary>
/// <remarks>
/// The shared pool of .NET keeps an array of each power of two for each thread that ever asked: a service with eight threads held 150 MB of buffers for photos of 35 KB. Here a buffer that one thread gives back is the
/// next one's, so that as much is kept as was in use at once, and what nobody used for a minute is dropped. Small buffers, which cost nothing to hold, are left to the shared pool.
/// </remarks>
/// <typeparam name="T">A pixel's value.</typeparam>
internal sealed class PixelPool<T>(long mostKept, TimeProvider time)
    where T : unmanaged
{
    /// <summary>Longest buffer that is kept for later: 64 MiB, a photo of 22 megapixels.</summary>
    public static readonly int LongestKept = (1 << 26) / Unsafe.SizeOf<T>();

    private const long BytesOfProcessor = 48L << 20;
    private static readonly int s_longestSmall = (1 << 16) / Unsafe.SizeOf<T>();
    private static readonly TimeSpan s_unused = TimeSpan.FromMinutes(1);

    // Those unused for longest first.
    private readonly List<(T[] Buffer, long Since)> _kept = [];
    private readonly Lock _lock = new();

    /// <summary>The pool of the process: at most 48 MiB for each processor.</summary>
    public static PixelPool<T> Shared { get; } = new(BytesOfProcessor * Environment.ProcessorCount, TimeProvider.System);

    /// <summary>Bytes of the buffers that are kept.</summary>
    public long Kept { get; private set; }

    /// <summary>A buffer of at least so many values, which are not cleared.</summary>
    public T[] Rent(int length)
    {
        if (length <= s_longestSmall)
        {
            return ArrayPool<T>.Shared.Rent(length);
        }

        lock (_lock)
        {
            // The shortest that fits and is no waste; of equals the last used, so that what is too many grows old.
            var best = -1;
            for (var i = _kept.Count - 1; i >= 0; i--)
            {
                var kept = _kept[i].Buffer.Length;
                if (kept >= length && kept / 2 <= length && (best < 0 || kept < _kept[best].Buffer.Length))
                {
                    best = i;
                }
            }

            if (best >= 0)
            {
                return Take(best);
            }
        }

        return GC.AllocateUninitializedArray<T>(length > LongestKept ? length : Rounded(length));
    }

    /// <summary>Gives a buffer back.</summary>
    public void Return(T[] buffer)
    {
        if (buffer.Length <= s_longestSmall)
        {
            ArrayPool<T>.Shared.Return(buffer);
        }
        else if (buffer.Length <= LongestKept)
        {
            lock (_lock)
            {
                _kept.Add((buffer, time.GetTimestamp()));
                Kept += Bytes(buffer);
                while (_kept.Count > 0 && (Kept > mostKept || time.GetElapsedTime(_kept[0].Since) > s_unused))
                {
                    Take(0);
                }
            }
        }
    }

    private T[] Take(int place)
    {
        var buffer = _kept[place].Buffer;
        _kept.RemoveAt(place);
        Kept -= Bytes(buffer);
        return buffer;
    }

    // Photos of nearly one size share a buffer, and at most an eighth of it lies idle.
    private static int Rounded(int length)
    {
        var step = 1 << (BitOperations.Log2((uint)length) - 3);
        return (length + step - 1) / step * step;
    }

    private static long Bytes(T[] buffer) => (long)buffer.Length * Unsafe.SizeOf<T>();
}
