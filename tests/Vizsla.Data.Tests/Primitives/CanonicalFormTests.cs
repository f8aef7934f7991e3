using Vizsla.Primitives;

namespace Vizsla.Tests.Primitives;

public sealed class CanonicalFormTests
{
    // As Python's unicodedata.normalize("NFD", text) gives them.
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("\u00e9", "e\u0301")]
    [InlineData("\u1e69", "s\u0323\u0307")]
    [InlineData("s\u0307\u0323", "s\u0323\u0307")]
    [InlineData("\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af")]
    [InlineData("\u212b", "A\u030a")]
    [InlineData("\ud834\udd5e", "\ud834\udd57\ud834\udd65")]
    [InlineData("\u00e9\u00df\u5b57", "e\u0301\u00df\u5b57")]
    public void Decomposes_as_the_Unicode_standard_says(string text, string decomposed)
    {
        Assert.Equal(decomposed, CanonicalForm.Decompose(text));
        Assert.Equal(decomposed, CanonicalForm.Decompose(decomposed));
    }
}
