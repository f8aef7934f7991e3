using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using TorchSharp;
using Vizsla.Native;
using Vizsla.Testing;

namespace Vizsla.Tests.Native;

public sealed class TorchRuntimeTests
{
    private const string LibraryFile = "libLibTorchSharp.so";

    [Fact]
    public void A_tensor_can_be_made_on_this_system()
    {
        System.Runtime.CompilerServices.RuntimeHelpers.RunModuleConstructor(typeof(TorchRuntime).Module.ModuleHandle);

        using var ones = torch.ones(3);
        using var sum = ones.sum();

        Assert.Equal(3f, sum.item<float>());
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public async Task Threads_that_mend_the_library_at_once_never_write_to_what_another_has_loaded()
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64, "skipped: only on Linux (x64) the library is patched");
        var untouched = FindUntouched();
        using var folder = new TemporaryFolder();
        const int Rounds = 10;
        const int Threads = 4;
        for (var round = 0; round < Rounds; round++)
        {
            var home = Directory.CreateDirectory(folder[$"{round}"]).FullName;
            var file = Path.Combine(home, LibraryFile);
            File.WriteAllBytes(file, untouched);
            using var start = new Barrier(Threads);
            var patched = await Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait();
                    var path = TorchRuntime.Patch(file);
                    var open = File.OpenRead(path);
                    return (Path: path, Open: open, AtOnce: ReadAll(open));
                },
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

            foreach (var (path, open, atOnce) in patched)
            {
                using (open)
                {
                    Assert.Equal(file, path);
                    Assert.Equal(untouched.Length, atOnce.Length);
                    Assert.Equal(atOnce, ReadAll(open));
                }
            }

            Assert.Equal(file, TorchRuntime.Patch(file));
            Assert.Equal(untouched, File.ReadAllBytes(file + ".original"));
            Assert.Equal([file, file + ".original"], Directory.GetFiles(home).Order(StringComparer.Ordinal));
        }
    }

    // As the package has it: beside a patched one it lies under another name.
    private static byte[] FindUntouched()
    {
        var patched = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", LibraryFile);
        return File.ReadAllBytes(File.Exists(patched + ".original") ? patched + ".original" : patched);
    }

    private static byte[] ReadAll(FileStream open)
    {
        open.Position = 0;
        var bytes = new byte[open.Length];
        open.ReadExactly(bytes);
        return bytes;
    }
}
