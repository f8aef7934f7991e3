using System.Globalization;

namespace Vizsla.Culture.Tests;

/// <summary>What is written does not depend on the language that the machine is set to.</summary>
public sealed class CultureTests
{
    private static readonly Lazy<Task<IReadOnlyDictionary<string, string>>> s_invariant = new(() => Workday.RunAsync(""));

    // A minus sign that is not ASCII, a decimal comma, a dotless i, digits and calendars of their own.
    [Theory]
    [InlineData("sv-SE")]
    [InlineData("de-DE")]
    [InlineData("tr-TR")]
    [InlineData("ar-SA")]
    [InlineData("fa-IR")]
    public async Task Files_output_and_messages_are_those_of_the_invariant_culture(string culture)
    {
        RequireCultures();
        var expected = await s_invariant.Value;

        var written = await Workday.RunAsync(culture);

        Assert.Equal(expected.Keys, written.Keys);
        foreach (var (name, text) in expected)
        {
            if (text != written[name])
            {
                Assert.Fail($"{culture}, {name}:\n{FirstDifference(text, written[name])}");
            }
        }
    }

    [Fact]
    public void The_cultures_here_are_the_real_ones()
    {
        RequireCultures();
        var swedish = CultureInfo.GetCultureInfo("sv-SE");

        Assert.Equal("\u22121,5", (-1.5).ToString(swedish));
        Assert.Equal("\u0130", "i".ToUpper(CultureInfo.GetCultureInfo("tr-TR")));
        Assert.NotEqual(2026, int.Parse(new DateTime(2026, 3, 1).ToString("yyyy", CultureInfo.GetCultureInfo("ar-SA")), CultureInfo.InvariantCulture));
    }

    // Built without ICU in reach, the runtime knows the invariant culture alone (Directory.Build.props).
    private static void RequireCultures() =>
        Assert.SkipWhen(AppContext.TryGetSwitch("System.Globalization.Invariant", out var isInvariant) && isInvariant, "skipped: no ICU on this machine (Debian: apt-get install libicu-dev)");

    private static string FirstDifference(string expected, string actual)
    {
        var (left, right) = (expected.Split('\n'), actual.Split('\n'));
        var line = Enumerable.Range(0, Math.Max(left.Length, right.Length)).First(i => left.ElementAtOrDefault(i) != right.ElementAtOrDefault(i));
        return $"expected: {left.ElementAtOrDefault(line)}\nactual:   {right.ElementAtOrDefault(line)}";
    }
}
