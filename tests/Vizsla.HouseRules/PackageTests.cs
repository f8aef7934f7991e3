using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Vizsla.Testing;

namespace Vizsla.HouseRules;

/// <summary>What <c>Directory.Packages.props</c> pins is what the projects restore.</summary>
public sealed partial class PackageTests
{
    [Fact]
    public void Every_pinned_package_is_referenced_or_restored()
    {
        var referenced = ReferencedPackages();
        var restored = RestoredPackages();

        var unused = Pins().Where(p => !restored.Contains(p) && !referenced.Any(r => r.IsMatch(p)));

        Assert.Empty(unused);
    }

    [Fact]
    public void The_notices_of_third_parties_name_every_package_that_the_libraries_and_the_tool_bring_along()
    {
        var notices = File.ReadAllText(Path.Combine(Golden.Checkout, "THIRD-PARTY-NOTICES.md"));
        var brought = ProjectFiles().Where(f => Path.GetRelativePath(Golden.Checkout, f).Replace('\\', '/') is var path && (path.StartsWith("src/", StringComparison.Ordinal) || path == "build/Torch.props"))
            .SelectMany(f => XDocument.Load(f).Descendants().Where(e => e.Name.LocalName == "PackageReference").Select(e => (string)e.Attribute("Include")!))
            .Where(name => !name.StartsWith('$')).Distinct().Order(StringComparer.Ordinal).ToList();

        Assert.NotEmpty(brought);
        Assert.DoesNotContain(brought, name => !notices.Contains(name, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Pins() =>
        XDocument.Load(Path.Combine(Golden.Checkout, "Directory.Packages.props")).Descendants("PackageVersion").Select(p => (string)p.Attribute("Include")!);

    // A name may hold a property, such as the platform of libtorch: it stands for anything.
    private static List<Regex> ReferencedPackages() =>
        [.. from file in ProjectFiles()
            from name in XDocument.Load(file).Descendants().Where(e => e.Name.LocalName is "PackageReference" or "TorchPackage")
                .Select(e => (string?)e.Attribute("Include") ?? e.Value)
            where !name.StartsWith('$')
            select new Regex($"^{Property().Replace(Regex.Escape(name), ".+")}$")];

    private static HashSet<string> RestoredPackages()
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var file in ProjectFiles().Where(f => f.EndsWith(".csproj", StringComparison.Ordinal))
            .Select(f => Path.Combine(Path.GetDirectoryName(f)!, "obj", "project.assets.json")).Where(File.Exists))
        {
            using var assets = JsonDocument.Parse(File.ReadAllBytes(file));
            names.UnionWith(assets.RootElement.GetProperty("libraries").EnumerateObject().Select(l => l.Name.Split('/')[0]));
        }

        return names;
    }

    private static IEnumerable<string> ProjectFiles() =>
        new[] { "src", "tests", "bench", "samples", "build" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Golden.Checkout, folder), "*.*", SearchOption.AllDirectories))
            .Where(f => Path.GetExtension(f) is ".csproj" or ".props" && !f.Split(Path.DirectorySeparatorChar).Contains("obj"))
            .Append(Path.Combine(Golden.Checkout, "Directory.Build.props"));

    [GeneratedRegex(@"\\\$\\\([A-Za-z]+\\?\)")]
    private static partial Regex Property();
}
