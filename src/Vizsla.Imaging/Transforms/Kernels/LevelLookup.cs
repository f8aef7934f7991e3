using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Vizsla.Transforms;

/// <summary>Replaces levels by tables, many at a time where the processor can look up bytes.</summary>
internal static class LevelLookup
{
    private const int Count = 256;
    private const int Quarter = 64;
    private const int Period = 3 * Quarter;

    /// <summary>Replaces levels by one table.</summary>
    /// <param name="source">Levels.</param>
    /// <param name="target">As many.</param>
    /// <param name="table">256 levels.</param>
    public static void One(ReadOnlySpan<byte> source, Span<byte> target, ReadOnlySpan<byte> table)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(target[..source.Length]);
        ref var levels = ref MemoryMarshal.GetReference(table[..Count]);
        nint i = 0;
        if (Avx512Vbmi.IsSupported)
        {
            var lookup = new Lookup(ref levels);
            for (; i + Quarter <= source.Length; i += Quarter)
            {
                lookup.Find(Vector512.LoadUnsafe(ref from, (nuint)i)).StoreUnsafe(ref to, (nuint)i);
            }
        }

        for (; i < source.Length; i++)
        {
            Unsafe.Add(ref to, i) = Unsafe.Add(ref levels, Unsafe.Add(ref from, i));
        }
    }

    /// <summary>Replaces the levels of pixels by a table for each channel.</summary>
    /// <param name="source">Pixels.</param>
    /// <param name="target">As many.</param>
    /// <param name="tables">3 * 256 levels.</param>
    public static void Three(ReadOnlySpan<byte> source, Span<byte> target, ReadOnlySpan<byte> tables)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(target[..source.Length]);
        ref var levels = ref MemoryMarshal.GetReference(tables[..(3 * Count)]);
        nint i = 0;
        if (Avx512Vbmi.IsSupported)
        {
            var red = new Lookup(ref levels);
            var green = new Lookup(ref Unsafe.Add(ref levels, Count));
            var blue = new Lookup(ref Unsafe.Add(ref levels, 2 * Count));
            var (isRed, isGreen) = (Places(0), Places(1));
            var (isRedNext, isGreenNext) = (Places(2), Places(0));
            var (isRedLast, isGreenLast) = (Places(1), Places(2));
            for (; i + Period <= source.Length; i += Period)
            {
                // 64 is one more than a multiple of three: the channels move on by one from vector to vector.
                Choose(red, green, blue, Vector512.LoadUnsafe(ref from, (nuint)i), isRed, isGreen).StoreUnsafe(ref to, (nuint)i);
                Choose(red, green, blue, Vector512.LoadUnsafe(ref from, (nuint)(i + Quarter)), isRedNext, isGreenNext).StoreUnsafe(ref to, (nuint)(i + Quarter));
                Choose(red, green, blue, Vector512.LoadUnsafe(ref from, (nuint)(i + (2 * Quarter))), isRedLast, isGreenLast).StoreUnsafe(ref to, (nuint)(i + (2 * Quarter)));
            }
        }

        for (; i < source.Length; i += 3)
        {
            Unsafe.Add(ref to, i) = Unsafe.Add(ref levels, Unsafe.Add(ref from, i));
            Unsafe.Add(ref to, i + 1) = Unsafe.Add(ref levels, Count + Unsafe.Add(ref from, i + 1));
            Unsafe.Add(ref to, i + 2) = Unsafe.Add(ref levels, (2 * Count) + Unsafe.Add(ref from, i + 2));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Choose(Lookup red, Lookup green, Lookup blue, Vector512<byte> levels, Vector512<byte> isRed, Vector512<byte> isGreen) =>
        Vector512.ConditionalSelect(isRed, red.Find(levels), Vector512.ConditionalSelect(isGreen, green.Find(levels), blue.Find(levels)));

    // All ones at every third byte.
    private static Vector512<byte> Places(int first)
    {
        Span<byte> places = stackalloc byte[Quarter];
        places.Clear();
        for (var i = first; i < places.Length; i += 3)
        {
            places[i] = 0xFF;
        }

        return Vector512.Create<byte>(places);
    }

    /// <summary>A table in four registers.</summary>
    private readonly struct Lookup(ref byte levels)
    {
        private readonly Vector512<byte> _first = Vector512.LoadUnsafe(ref levels);
        private readonly Vector512<byte> _second = Vector512.LoadUnsafe(ref levels, Quarter);
        private readonly Vector512<byte> _third = Vector512.LoadUnsafe(ref levels, 2 * Quarter);
        private readonly Vector512<byte> _fourth = Vector512.LoadUnsafe(ref levels, 3 * Quarter);

        // The instruction looks at seven bits of a level; the eighth chooses the half of the table.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<byte> Find(Vector512<byte> levels) => Vector512.ConditionalSelect(
            Vector512.LessThan(levels.AsSByte(), Vector512<sbyte>.Zero).AsByte(),
            Avx512Vbmi.PermuteVar64x8x2(_third, levels, _fourth),
            Avx512Vbmi.PermuteVar64x8x2(_first, levels, _second));
    }
}
