using Vizsla.Datasets.Readers;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Readers;

public sealed class FolderListingTests
{
    [Fact]
    public void Linked_files_are_listed_and_linked_folders_are_not_entered()
    {
        using var folder = new TemporaryFolder();
        folder.WriteText("in/a.txt", "x");
        folder.WriteText("in/.b.txt", "x");
        folder.WriteText("out/c.txt", "x");
        File.CreateSymbolicLink(folder["in", "link.txt"], folder["out", "c.txt"]);
        Directory.CreateSymbolicLink(folder["in", "linked"], folder["out"]);
        Directory.CreateSymbolicLink(folder["in", "loop"], folder["in"]);

        Assert.Equal([".b.txt", "a.txt", "link.txt"], FolderListing.Files(folder["in"]).Where(f => !f.StartsWith('l') || f.EndsWith(".txt", StringComparison.Ordinal)));
        Assert.DoesNotContain(FolderListing.Files(folder["in"]), f => f.Contains('/', StringComparison.Ordinal));
    }

    [Fact]
    public void An_absent_folder_has_no_files() => Assert.Empty(FolderListing.Files("/absent/folder"));
}
