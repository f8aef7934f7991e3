using System.Diagnostics;
using System.Text.Json.Nodes;
using Vizsla.Cli.Commands;
using Vizsla.Native;

namespace Vizsla.Cli.Tests;

public sealed class DoctorTests
{
    private const long Gigabyte = 1L << 30;

    private static readonly DoctorReport Healthy = new(
        new("AMD EPYC", 2, "avx2, avx512, avx512_bf16", 24 * Gigabyte, 20 * Gigabyte, "Debian 12", ".NET 10"),
        new("2.10.0", IsChecked: true, "cpu", 2, 200, 800, ConvolutionWay.Ordinary),
        TorchFailure: null, [], 100 * Gigabyte, "https://huggingface.co", IsOffline: false, HasNvidiaDriver: false);

    [Fact]
    public async Task The_report_names_system_library_speed_memory_disk_and_hub()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["doctor", "--seconds", "0.01"], run.Console);

        Assert.Equal(0, code);
        foreach (var row in new[] { "runtime", "system", "cores", "simd", "libtorch", "device", "threads", "gemm fp32", "gemm bf16", "convolutions", "memory", "disk", "hub", "library" })
        {
            Assert.Contains(run.OutText.Split('\n'), line => line.StartsWith(row, StringComparison.Ordinal));
        }

        Assert.Contains("LibTorchSharp", run.OutText, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "keeps freed blocks")]
    [InlineData("2", "gives freed blocks back")]
    public async Task The_program_starts_itself_with_an_allocator_that_keeps_blocks_unless_told_otherwise(string? arenas, string expected)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "skipped: the settings are those of glibc");
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Vizsla.Cli.dll"), "doctor", "--seconds", "0.01"]) { RedirectStandardOutput = true };
        foreach (var name in new[] { "MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES" })
        {
            start.Environment.Remove(name);
        }

        if (arenas is not null)
        {
            start.Environment["MALLOC_ARENA_MAX"] = arenas;
        }

        using var process = Process.Start(start)!;
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();

        Assert.Equal(0, process.ExitCode);
        Assert.Contains(text.Split('\n'), line => line.StartsWith("allocator", StringComparison.Ordinal) && line.TrimEnd().EndsWith(expected, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--seconds", "0.01", "")]
    [InlineData("--seconds", "0.01", "", "a b", "", "")]
    public async Task The_program_starts_itself_with_every_argument_also_an_empty_last_one(params string[] words)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "skipped: the settings are those of glibc");
        var answers = new List<(int Status, string Error)>();
        foreach (var arenas in new[] { null, "2" })
        {
            var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Vizsla.Cli.dll"), "doctor", .. words]) { RedirectStandardError = true, RedirectStandardOutput = true };
            foreach (var name in new[] { "MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES" })
            {
                start.Environment.Remove(name);
            }

            if (arenas is not null)
            {
                start.Environment["MALLOC_ARENA_MAX"] = arenas;
            }

            using var process = Process.Start(start)!;
            var reading = process.StandardOutput.ReadToEndAsync();
            answers.Add((0, await process.StandardError.ReadToEndAsync()));
            await reading;
            await process.WaitForExitAsync();
            answers[^1] = (process.ExitCode, answers[^1].Error);
        }

        Assert.Equal(2, answers[0].Status);
        Assert.Equal(answers[1], answers[0]);
    }

    [Fact]
    public async Task The_report_is_json_for_programs()
    {
        using var run = new ConsoleRun();

        await CommandLine.RunAsync(["doctor", "--seconds", "0.01", "--format", "json"], run.Console);

        var report = JsonNode.Parse(run.OutText)!;
        Assert.True(report["gemm_fp32_gflops"]!.GetValue<double>() > 0);
        Assert.Equal(LibTorch.Version!.ToString(), report["libtorch"]!.GetValue<string>());
    }

    [Fact]
    public void A_healthy_machine_has_no_findings()
    {
        Assert.Empty(DoctorFindings.Of(Healthy));
    }

    [Fact]
    public void Each_thing_that_is_wrong_has_a_sentence_that_says_how_to_mend_it()
    {
        var sick = Healthy with
        {
            Machine = Healthy.Machine with { InstructionSets = "none", FreeMemoryBytes = Gigabyte },
            Torch = Healthy.Torch! with { Version = "2.12.0", IsChecked = false, ThreadCount = 64 },
            FreeDiskBytes = Gigabyte / 2,
            HasNvidiaDriver = true,
        };

        Assert.Equal(
            [
                "libtorch 2.12.0 is loaded, but bf16 and the fused optimizer were checked with 2.10 only and stay off: use the libtorch package of that version.",
                "An NVIDIA GPU is there, but this build computes on the CPU: build with '-p:Torch=cuda'.",
                "libtorch uses 64 threads on 2 cores which slow each other down: unset OMP_NUM_THREADS, or set it to 2.",
                "The processor has no AVX2, so training is many times slower than it need be: use another machine, or a virtual one that passes the processor's instructions on.",
                "Only 1.0 GiB of memory are free: close other programs, or train with a smaller '--per_device_train_batch_size'.",
                "Only 0.5 GiB of disk are free here: make room, or give an '--output_dir' on another disk and '--save_total_limit 1'.",
            ],
            DoctorFindings.Of(sick));
    }

    [Fact]
    public void A_library_that_does_not_load_is_named_with_its_reason()
    {
        var report = Healthy with { Torch = null, TorchFailure = "libgomp.so.1: cannot open shared object file" };

        Assert.StartsWith("libtorch does not load (libgomp.so.1: cannot open shared object file): ", Assert.Single(DoctorFindings.Of(report)), StringComparison.Ordinal);
    }
}
