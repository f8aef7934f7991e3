using System.IO.Hashing;
using System.Runtime.Intrinsics.X86;
using System.Text;
using System.Text.Json;
using Vizsla.Hub.Cache;

namespace Vizsla.Native;

/// <summary>What the self-test found of oneDNN with cache sizes of its own, kept in the user's folder for the processor, libtorch, threads and shapes that it was found for.</summary>
/// <remarks>
/// A program that can start itself (the command line) tests once and keeps what it found. An application that only references the library reads it; where
/// there is none it takes oneDNN's own answer about its sizes. In both, <c>NumberGuard</c> compares each network with float64, and has the convolutions of one that
/// trains tested here before.
/// </remarks>
internal static class ConvolutionVerdict
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>Where verdicts are kept; null is the user's folder of local application data.</summary>
    internal static string? Folder { get; set; }

    /// <summary>Whether oneDNN may be used: it was found right, or nothing was found so far and nothing can be.</summary>
    public static bool IsRight() => IsRight(ConvolutionSelfTest.Command, TorchThreads.Count);

    /// <summary>Whether oneDNN computes the convolutions of a network right, forward and back; tested in this process where there is no program for it, since the network runs in it too.</summary>
    /// <param name="cases">The convolutions.</param>
    public static bool IsRight(IReadOnlyList<ConvolutionCase> cases) => IsRight(ConvolutionSelfTest.Command, cases, Here);

    /// <summary>The same of the shapes that are tested on every machine, with a given program.</summary>
    /// <param name="command">How the self-test is started; null where it cannot be.</param>
    /// <param name="threads">Threads that libtorch computes with.</param>
    internal static bool IsRight(IReadOnlyList<string>? command, int threads) =>
        // One batch in both layouts, with as many threads as there are: seconds instead of a minute.
        IsRight(command, [.. ConvolutionCase.Table(threads, CpuFeatures.HasFastBfloat16).Where(c => c.Input[0] > 1 && c.Threads == threads)], otherwise: null);

    private static bool IsRight(IReadOnlyList<string>? command, IReadOnlyList<ConvolutionCase> cases, Func<IReadOnlyList<ConvolutionCase>, IReadOnlyList<ConvolutionFinding>>? otherwise)
    {
        if (cases.Count == 0)
        {
            return true;
        }

        var file = Path.Combine(
            Folder ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "vizsla", "convolutions"),
            Key(cases) + ".json");
        if (Read(file) is { } known)
        {
            return known;
        }

        if (command is null && otherwise is null)
        {
            return true;
        }

        var findings = command is not null ? ConvolutionSelfTest.Run(command, cases, way: null, Patience) : otherwise!(cases);
        var wrong = findings.Where(f => !f.IsRight).Select(f => f.Case.ToString()).ToArray();
        if (!findings.Any(f => f.HasHung))
        {
            Write(file, wrong);
        }

        return wrong.Length == 0;
    }

    private static List<ConvolutionFinding> Here(IReadOnlyList<ConvolutionCase> cases) => [.. cases.Select(c => new ConvolutionFinding(c, c.Measure(), null))];

    private static string Key(IReadOnlyList<ConvolutionCase> cases)
    {
        var processor = X86Base.IsSupported ? $"{X86Base.CpuId(1, 0).Eax:x8}" : "arm";
        var text = string.Join('\n', cases.Select(c => c.ToString()).Prepend($"{processor} {CpuFeatures.Describe()} {LibTorch.Version} {Environment.GetEnvironmentVariable("ONEDNN_MAX_CPU_ISA")}"));
        return Convert.ToHexStringLower(XxHash128.Hash(Encoding.UTF8.GetBytes(text)));
    }

    private static bool? Read(string file)
    {
        try
        {
            return File.Exists(file) ? JsonSerializer.Deserialize(File.ReadAllText(file), ConvolutionJson.Default.StringArray) is { Length: 0 } : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    // A verdict that cannot be kept is found again the next time.
    private static void Write(string file, string[] wrong)
    {
        try
        {
            AtomicFile.Write(file, JsonSerializer.Serialize(wrong, ConvolutionJson.Default.StringArray));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }
}
