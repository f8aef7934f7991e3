using System.Text.RegularExpressions;
using Vizsla.Testing;

namespace Vizsla.HouseRules;

/// <summary>docs/architecture.md tells of this house alone: what it names is there, and what is there at the top is named.</summary>
public sealed partial class DocumentTests
{
    // Names of other houses: torch, transformers, .NET and the operating system.
    private static readonly HashSet<string> s_foreign =
        ["TorchSharp", "AtenTensorHandle", "PyTorch", "TensorBoard", "CommandLine", "SafeTensors", "ASP", "HF", "CUDA", "ONNX", "BCL", "LFS", "AVX"];

    private static string Text { get; } = File.ReadAllText(Path.Combine(Golden.Checkout, "docs", "architecture.md"));

    [Fact]
    public void Every_folder_that_the_architecture_names_exists()
    {
        var folders = Folders().ToHashSet();

        var missing = Folder().Matches(Text).Select(m => m.Groups[1].Value.TrimEnd('/')).Distinct()
            .Where(name => !folders.Any(f => f == name || f.EndsWith('/' + name, StringComparison.Ordinal)));

        Assert.Empty(missing);
    }

    [Fact]
    public void Every_file_and_type_that_the_architecture_names_exists()
    {
        var files = Files().Select(f => Path.GetFileName(f)).ToHashSet();
        var names = Files().SelectMany(f => Declaration().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value))
            .Concat(files.Select(f => f.Split('.')[0])).Concat(Folders().Select(f => Path.GetFileName(f))).ToHashSet();

        var missingFiles = CodeFile().Matches(Text).Select(m => m.Value).Distinct().Where(name => !files.Contains(name));
        var missingTypes = TypeName().Matches(Text).Select(m => m.Groups[1].Value).Distinct().Where(name => !names.Contains(name) && !s_foreign.Contains(name));

        Assert.Empty(missingFiles.Concat(missingTypes));
    }

    [Fact]
    public void The_architecture_names_every_top_folder_of_a_project()
    {
        var named = Folder().Matches(Text).Select(m => m.Groups[1].Value.TrimEnd('/').Split('/')[^1]).ToHashSet();

        var unnamed = Folders().Where(f => f.StartsWith("src/", StringComparison.Ordinal) && f.Count(c => c == '/') == 2 && !named.Contains(Path.GetFileName(f)))
            .Where(f => Path.GetFileName(f) is not ("Properties" or "wwwroot" or "buildTransitive"));

        Assert.Empty(unnamed);
    }

    [Fact]
    public void The_list_of_decisions_names_each_of_them()
    {
        var folder = Path.Combine(Golden.Checkout, "docs", "decisions");
        var titles = Directory.EnumerateFiles(folder, "0*.md").Order(StringComparer.Ordinal)
            .Select(f => (File: Path.GetFileName(f), Title: File.ReadLines(f).First()["# ".Length..]))
            .Select(d => d.Title.Split(". ", 2) is [var number, var title] ? $"{number}. [{title}]({d.File})" : d.Title);

        Assert.Equal(titles, File.ReadLines(Path.Combine(folder, "README.md")).Where(line => line.Length > 0 && char.IsDigit(line[0])));
    }

    private static IEnumerable<string> Folders() =>
        Directory.EnumerateDirectories(Golden.Checkout, "*", SearchOption.AllDirectories).Select(Relative).Where(IsOurs);

    private static IEnumerable<string> Files() =>
        new[] { "src", "tests", "bench", "samples" }.SelectMany(f => Directory.EnumerateFiles(Path.Combine(Golden.Checkout, f), "*.cs", SearchOption.AllDirectories)).Where(f => IsOurs(Relative(f)));

    private static string Relative(string path) => Path.GetRelativePath(Golden.Checkout, path).Replace('\\', '/');

    private static bool IsOurs(string path) => !path.Split('/').Any(part => part is "bin" or "obj" or "artifacts" or "node_modules" || part.StartsWith(".git", StringComparison.Ordinal));

    // A word with a slash behind it that begins with a capital, or a whole path; 'checkpoint-500/' is part of a run.
    [GeneratedRegex(@"(?<![\w/.-])((?:[A-Z][\w.]*/)+)(?![\w.-])")]
    private static partial Regex Folder();

    [GeneratedRegex(@"\b[A-Z]\w+\.cs\b")]
    private static partial Regex CodeFile();

    // `Name` and `Name.Member`: the first part is a type, a folder or a file; so is a word with two capitals in it.
    [GeneratedRegex(@"`([A-Z][a-z]+\w*)[^`/]*`")]
    private static partial Regex TypeName();

    [GeneratedRegex(@"\b(?:class|record struct|record|struct|enum|interface|delegate \S+|(?:static|public|protected|internal|abstract|override) [\w<>?,\[\] ]+)\s+([A-Z]\w*)")]
    private static partial Regex Declaration();
}
