using Vizsla.Hub.Cards;
using Vizsla.Testing;

namespace Vizsla.Hub.Tests.Cards;

public sealed class RepoCardTests
{
    [Fact]
    [Trait("Category", "Golden")]
    public void Every_recorded_card_is_written_as_it_was_read()
    {
        var cards = Directory.GetFiles(Golden.Require("hub", "cards"), "*.md");

        Assert.All(cards, file => Assert.Equal(File.ReadAllText(file), RepoCard.Parse(File.ReadAllText(file)).ToString()));
    }

    [Fact]
    public void A_changed_key_keeps_its_place_and_the_text_stays()
    {
        var card = RepoCard.Parse("---\nlicense: mit\ntags:\n- pets\n---\n\n# Mine\r\nWords.  \n");

        card.Metadata["license"] = "apache-2.0";
        card.Metadata["pretty_name"] = "Mes bêtes";

        Assert.Equal("---\nlicense: apache-2.0\ntags:\n- pets\npretty_name: Mes bêtes\n---\n\n# Mine\r\nWords.  \n".ReplaceLineEndings("\n"), card.ToString().ReplaceLineEndings("\n"));
        Assert.EndsWith("\n# Mine\r\nWords.  \n", card.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_card_without_metadata_is_all_text_until_it_gets_some()
    {
        var card = RepoCard.Parse("# First, no metadata\n");

        Assert.Equal("# First, no metadata\n", card.ToString());
        card.Metadata["license"] = "mit";

        Assert.Equal("---\nlicense: mit\n---\n# First, no metadata\n", card.ToString());
    }

    [Theory]
    [InlineData("- a\n- b", "not a mapping")]
    [InlineData("a: [1, 2", "not valid YAML")]
    [InlineData("? [a]\n: b", "key that is not a scalar")]
    public void Metadata_that_a_card_cannot_hold_is_refused(string metadata, string part)
    {
        var e = Assert.Throws<YamlException>(() => RepoCard.Parse($"---\n{metadata}\n---\n"));

        Assert.Contains(part, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Aliases_that_multiply_are_refused()
    {
        var bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + string.Concat("bcdefgh".Select((c, i) => $"{c}: &{c} [{string.Join(',', Enumerable.Repeat("*" + "abcdefg"[i], 10))}]\n"));

        var e = Assert.Throws<YamlException>(() => RepoCard.Parse($"---\n{bomb}---\n"));

        Assert.Equal("The metadata holds more than 100000 values.", e.Message);
    }
}
