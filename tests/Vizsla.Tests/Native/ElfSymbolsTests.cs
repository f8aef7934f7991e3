using System.Runtime.InteropServices;
using Vizsla.Native;
using Vizsla.Testing;

namespace Vizsla.Tests.Native;

public sealed class ElfSymbolsTests
{
    private const string First = "aoti_torch_abi_version";
    private const string Second = "aoti_torch_delete_tensor_object";

    [Fact]
    public void Functions_stand_as_far_apart_as_where_they_are_loaded()
    {
        var file = NativeLibraries.Loaded().SingleOrDefault(f => Path.GetFileName(f) == "libtorch_cpu.so");
        var (first, second) = (LibTorch.Find(First), LibTorch.Find(Second));
        file ??= NativeLibraries.Loaded().SingleOrDefault(f => Path.GetFileName(f) == "libtorch_cpu.so");
        Assert.SkipWhen(file is null, "skipped: no libtorch_cpu.so on this system");

        var found = ElfSymbols.Find(file, First, "no_such_function", Second);

        Assert.Equal(0UL, found[1]);
        Assert.Equal((long)second - first, (long)(found[2] - found[0]));
    }

    [Fact]
    public void Another_file_is_refused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["a.so"], new byte[100]);

        var refused = Assert.Throws<InvalidDataException>(() => ElfSymbols.Find(folder["a.so"], First));

        Assert.Equal($"'{folder["a.so"]}' is not a 64-bit little-endian ELF file.", refused.Message);
    }

    [Fact]
    public void A_file_that_ends_too_early_is_refused()
    {
        using var folder = new TemporaryFolder();
        var bytes = new byte[64];
        "\u007fELF"u8.CopyTo(bytes);
        (bytes[4], bytes[5]) = (2, 1);
        MemoryMarshal.Write(bytes.AsSpan(0x28), 64L);
        MemoryMarshal.Write(bytes.AsSpan(0x3C), (ushort)3);
        File.WriteAllBytes(folder["b.so"], bytes);

        var refused = Assert.Throws<InvalidDataException>(() => ElfSymbols.Find(folder["b.so"], First));

        Assert.Equal("The ELF file ends before one of its tables does.", refused.Message);
    }
}
