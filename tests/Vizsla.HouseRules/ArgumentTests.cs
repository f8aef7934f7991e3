using System.Reflection;
using System.Text.RegularExpressions;
using Vizsla.Testing;

namespace Vizsla.HouseRules;

/// <summary>No training argument is accepted, written and read by nobody.</summary>
public sealed class ArgumentTests
{
    // Where arguments are declared and where their values are checked, which is no effect.
    private static readonly Regex NoEffect = new(@"TrainingArguments(\.\w+)?\.cs$|ArgumentChecks\.cs$");

    [Fact]
    public void Every_training_argument_is_read_where_it_has_an_effect()
    {
        var text = string.Concat(Directory.EnumerateFiles(Path.Combine(Golden.Checkout, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !NoEffect.IsMatch(file) && !file.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"))
            .Select(File.ReadAllText));

        var unread = typeof(TrainingArguments).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.CanWrite && p.Name != nameof(TrainingArguments.LogLevel))
            .Select(p => p.Name)
            .Where(name => !Regex.IsMatch(text, $@"\b(arguments|Arguments|_arguments|asked|a)\.{name}\b|[{{,] {name}: "));

        // log_level is refused but for the value that it always has.
        Assert.Empty(unread);
    }
}
