namespace Vizsla.Hub.Tests;

// Expectations are those of Python's fnmatch.fnmatchcase.
public sealed class GlobPatternTests
{
    [Theory]
    [InlineData("a/b.json", "*.json", true)]
    [InlineData("a/b.jsonl", "*.json", false)]
    [InlineData("a/b.json", "a/*", true)]
    [InlineData("A.json", "a.json", false)]
    [InlineData("a", "?", true)]
    [InlineData("", "*", true)]
    [InlineData("", "?", false)]
    [InlineData("b1", "[a-c]?", true)]
    [InlineData("d1", "[!a-c]?", true)]
    [InlineData("b1", "[!a-c]?", false)]
    [InlineData("]", "[]]", true)]
    [InlineData("a]", "[]a]?", true)]
    [InlineData("[", "[", true)]
    [InlineData("-", "[a-]", true)]
    [InlineData("abcabcabd", "*abd", true)]
    [InlineData("abab", "*a*b*a*b*c", false)]
    [InlineData("x.y+z", "x.y+z", true)]
    public void Patterns_match_as_in_Python(string path, string pattern, bool expected)
    {
        Assert.Equal(expected, GlobPattern.IsMatch(path, pattern));
    }

    [Fact]
    public void A_pattern_with_a_slash_at_its_end_means_the_folder()
    {
        Assert.True(GlobPattern.Selects("logs/deep/a.log", ["logs/"], []));
        Assert.False(GlobPattern.Selects("logs/deep/a.log", ["*"], ["logs/"]));
    }

    [Fact]
    public void A_hostile_pattern_takes_no_time()
    {
        Assert.False(GlobPattern.IsMatch(new string('a', 2000), string.Concat(Enumerable.Repeat("a*", 200)) + "b"));
    }
}
