using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Vizsla.Native;

/// <summary>What the processor can do that decides how fast training is.</summary>
internal static class CpuFeatures
{
    /// <summary>AVX2 and fused multiply-add, the least for a good fp32 rate.</summary>
    public static bool HasAvx2 => Avx2.IsSupported && Fma.IsSupported;

    /// <summary>AVX-512, foundation and the byte, word and doubleword instructions, switched on by the system.</summary>
    public static bool HasAvx512 => Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported;

    /// <summary>Dot products of bfloat16 in AVX-512.</summary>
    public static bool HasAvx512Bf16 { get; } = HasAvx512 && Leaf7(1).Eax.HasBit(5);

    /// <summary>Matrix tiles of bfloat16.</summary>
    public static bool HasAmxBf16 { get; } = HasAvx512 && Leaf7(0).Edx.HasBit(22) && Leaf7(0).Edx.HasBit(24);

    /// <summary>Whether bfloat16 is faster than fp32 here; where it is not, libtorch emulates it, some twenty times slower.</summary>
    public static bool HasFastBfloat16 => HasAvx512Bf16 || HasAmxBf16;

    /// <summary>Whether MKL, which multiplies float32 matrices for libtorch, leaves AVX-512 unused here: it keeps to AVX2 on processors that are not Intel's.</summary>
    public static bool LacksWideMkl { get; } = HasAvx512 && !IsIntel();

    /// <summary>The instruction sets found, widest last; "none" where there is none that counts.</summary>
    public static string Describe()
    {
        (string Name, bool Has)[] sets =
        [
            ("neon", AdvSimd.IsSupported), ("avx2", HasAvx2), ("avx512", HasAvx512), ("avx512_bf16", HasAvx512Bf16), ("amx_bf16", HasAmxBf16),
        ];
        var found = string.Join(", ", sets.Where(set => set.Has).Select(set => set.Name));
        return found.Length > 0 ? found : "none";
    }

    // CPUID leaf 0: "GenuineIntel", four letters a register.
    private static bool IsIntel() => X86Base.CpuId(0, 0) is (_, 0x756E6547, 0x6C65746E, 0x49656E69);

    // CPUID leaf 7, "structured extended feature flags".
    private static (uint Eax, uint Edx) Leaf7(int subleaf)
    {
        if (!X86Base.IsSupported || X86Base.CpuId(0, 0).Eax < 7 || (subleaf > 0 && X86Base.CpuId(7, 0).Eax < subleaf))
        {
            return default;
        }

        var (eax, _, _, edx) = X86Base.CpuId(7, subleaf);
        return ((uint)eax, (uint)edx);
    }

    private static bool HasBit(this uint word, int bit) => (word >> bit & 1) != 0;
}
