using System.Reflection;

namespace Vizsla.Testing;

/// <summary>Where the recorded cases and the real pictures lie; a test skips with one line where they are missing.</summary>
public static class Golden
{
    /// <summary>Root of the recordings: <c>VIZSLA_GOLDEN</c>, else <c>../shared/golden</c> beside the checkout.</summary>
    public static string Root { get; } = Resolve("VIZSLA_GOLDEN", "golden");

    /// <summary>Root of the pictures: <c>VIZSLA_DATA</c>, else <c>../shared/data</c> beside the checkout.</summary>
    public static string Data { get; } = Resolve("VIZSLA_DATA", "data");

    /// <summary>Root of small inputs that failed once: <c>VIZSLA_CASES</c>, else <c>../shared/cases</c> beside the checkout.</summary>
    public static string Cases { get; } = Resolve("VIZSLA_CASES", "cases");

    /// <summary>The network of ML.NET's featurizer, in the folder where NuGet unpacks its package.</summary>
    public static string ResNet18 { get; } = typeof(Golden).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == nameof(ResNet18)).Value!;

    /// <summary>The checkout's root folder, found by its solution file.</summary>
    public static string Checkout { get; } = FindCheckout();

    /// <summary>Path of a recording; skips the test when it is absent.</summary>
    /// <param name="parts">Path below the golden root.</param>
    public static string Require(params string[] parts) => Existing(Root, parts);

    /// <summary>Path of a picture or folder of pictures; skips the test when it is absent.</summary>
    /// <param name="parts">Path below the data root.</param>
    public static string RequireData(params string[] parts) => Existing(Data, parts);

    /// <summary>Path of a small input or a folder of them; skips the test when it is absent.</summary>
    /// <param name="parts">Path below the root of cases.</param>
    public static string RequireCases(params string[] parts) => Existing(Cases, parts);

    /// <summary>Skips a test that takes minutes, unless <c>VIZSLA_SLOW</c> is 1.</summary>
    public static void RequireSlow() =>
        Xunit.Assert.SkipUnless(Environment.GetEnvironmentVariable("VIZSLA_SLOW") == "1", "skipped: takes minutes; set VIZSLA_SLOW=1");

    private static string Existing(string root, string[] parts)
    {
        var path = Path.Combine([root, .. parts]);
        if (!Directory.Exists(root))
        {
            Xunit.Assert.Skip($"skipped: no ../shared ({Path.Combine(parts)})");
        }

        if (!File.Exists(path) && !Directory.Exists(path))
        {
            Xunit.Assert.Skip($"skipped: no {Path.Combine(parts)} below this root");
        }

        return path;
    }

    private static string Resolve(string variable, string folder) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } set
            ? Path.GetFullPath(set, FindCheckout())
            : Path.GetFullPath(Path.Combine(FindCheckout(), "..", "shared", folder));

    private static string FindCheckout()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Vizsla.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No Vizsla.slnx above '{AppContext.BaseDirectory}'; run the tests from the checkout.");
    }
}
