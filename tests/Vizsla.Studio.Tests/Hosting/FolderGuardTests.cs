using Vizsla.Studio.Hosting;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Hosting;

public sealed class FolderGuardTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public FolderGuardTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "runs", "a"));
        Directory.CreateDirectory(Path.Combine(_folder.Path, "runs-secret"));
        File.WriteAllText(Path.Combine(_folder.Path, "runs", "a", "plot.png"), "");
        File.WriteAllText(Path.Combine(_folder.Path, "runs-secret", "key"), "");
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "runs", "out"), Path.Combine(_folder.Path, "runs-secret"));
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "runs", "in"), Path.Combine(_folder.Path, "runs", "a"));
    }

    private string Root => Path.Combine(_folder.Path, "runs");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a/plot.png")]
    [InlineData("in/plot.png")]
    public void What_lies_below_is_found(string path) => Assert.NotNull(FolderGuard.Resolve(Root, path));

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("../runs-secret/key")]
    [InlineData("a/../../runs-secret/key")]
    [InlineData("a/./plot.png")]
    [InlineData("a//plot.png")]
    [InlineData("/etc/passwd")]
    [InlineData("..\\runs-secret\\key")]
    [InlineData("%2e%2e/runs-secret/key")]
    [InlineData("a/plot.png\0.txt")]
    [InlineData("C:/Windows")]
    [InlineData("out/key")]
    [InlineData("out")]
    [InlineData("absent")]
    public void What_leads_out_or_is_absent_is_not(string path) => Assert.Null(FolderGuard.Resolve(Root, path));
}
