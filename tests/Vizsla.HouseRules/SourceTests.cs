using System.Text.RegularExpressions;
using Vizsla.Testing;

namespace Vizsla.HouseRules;

/// <summary>What the style guide asks of the text of the sources.</summary>
public sealed partial class SourceTests
{
    private const int SourceCap = 400;
    private const int TestCap = 600;

    [Fact]
    public void No_file_has_become_two_rooms()
    {
        var long_ = SourceFiles()
            .Select(f => (File: Relative(f), Lines: File.ReadLines(f).Count()))
            .Where(f => f.Lines > (f.File.StartsWith("src", StringComparison.Ordinal) ? SourceCap : TestCap))
            .Select(f => $"{f.File}: {f.Lines} lines");

        Assert.Empty(long_);
    }

    [Fact]
    public void Nothing_is_left_for_later()
    {
        var leftovers = Hits(Leftover());

        Assert.Empty(leftovers);
    }

    [Fact]
    public void The_project_speaks_of_itself_alone()
    {
        var foreign = Hits(Foreign());

        Assert.Empty(foreign);
    }

    private static IEnumerable<string> Hits(Regex pattern) =>
        from file in SourceFiles()
        where Path.GetFileName(file) != "SourceTests.cs"
        from line in File.ReadLines(file).Select((text, i) => (Text: text, Number: i + 1))
        where pattern.IsMatch(line.Text)
        select $"{Relative(file)}:{line.Number}: {line.Text.Trim()}";

    private static string Relative(string file) => Path.GetRelativePath(Golden.Checkout, file).Replace('\\', '/');

    private static IEnumerable<string> SourceFiles() =>
        new[] { "src", "tests", "bench", "samples" }
            .Select(folder => Path.Combine(Golden.Checkout, folder))
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.*", SearchOption.AllDirectories))
            .Where(file => Path.GetExtension(file) is ".cs" or ".razor")
            .Where(file => !Relative(file).Split('/').Any(part => part is "bin" or "obj" or "node_modules"));

    [GeneratedRegex(@"NotImplementedException|\b(TODO|FIXME|HACK)\b(?! *\(#\d)|Assert\.True\(true\)|Skip *= *""")]
    private static partial Regex Leftover();

    [GeneratedRegex(@"(^|[\s""'(=])/(work|root|farm)/|api\.nuget\.org|pypi\.org|registry\.npmjs")]
    private static partial Regex Foreign();
}
