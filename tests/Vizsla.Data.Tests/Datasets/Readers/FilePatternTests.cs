using Vizsla.Datasets;
using Vizsla.Datasets.Readers;

namespace Vizsla.Tests.Datasets.Readers;

public sealed class FilePatternTests
{
    [Theory]
    [InlineData("**", "a/b/c.jpg", true)]
    [InlineData("**/train/**", "train/c.jpg", true)]
    [InlineData("**/train/**", "a/b/train/x/c.jpg", true)]
    [InlineData("**/train/**", "training/c.jpg", false)]
    [InlineData("**/*[-._ 0-9]val[-._ 0-9]*/**", "my_val.set/c.jpg", true)]
    [InlineData("**/*[-._ 0-9]val[-._ 0-9]*/**", "interval/c.jpg", false)]
    [InlineData("a/*/*.jpg", "a/b/c.jpg", true)]
    [InlineData("a/*/*.jpg", "a/b/d/c.jpg", false)]
    [InlineData("a/*", "a/", false)]
    [InlineData("?.jpg", "a.jpg", true)]
    [InlineData("[!ab].jpg", "c.jpg", true)]
    [InlineData("[!ab].jpg", "a.jpg", false)]
    [InlineData("[c-a].jpg", "b.jpg", false)]
    [InlineData("a[.jpg", "a[.jpg", true)]
    [InlineData("a+(b).jpg", "a+(b).jpg", true)]
    [InlineData("**", ".hidden/c.jpg", false)]
    [InlineData("**", "a/.c.jpg", false)]
    [InlineData(".hidden/**", ".hidden/c.jpg", true)]
    [InlineData("**", "__MACOSX/c.jpg", false)]
    [InlineData("**", "a/__c.jpg", true)]
    [InlineData("__*/*", "__MACOSX/c.jpg", true)]
    public void Matches_as_fsspec_does(string pattern, string path, bool expected) => Assert.Equal(expected, new FilePattern(pattern).IsMatch(path));

    [Fact]
    public void Two_stars_beside_letters_are_refused()
    {
        var error = Assert.Throws<DatasetException>(() => new FilePattern("a**/b"));

        Assert.Equal("Invalid pattern 'a**/b': '**' can only be an entire path component", error.Message);
    }
}
