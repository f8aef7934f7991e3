using System.Text.RegularExpressions;
using Mono.Cecil;
using Vizsla.Testing;

namespace Vizsla.HouseRules;

/// <summary>
/// What is public is a decision: each library lists it in <c>PublicApi.txt</c>, and a change of the list is read with the change of the code.
/// <c>VIZSLA_UPDATE_PUBLIC_API=1 dotnet test tests/Vizsla.HouseRules -c Release --filter PublicApi</c> writes the lists anew.
/// </summary>
public sealed partial class PublicApiTests
{
    private const string Update = "VIZSLA_UPDATE_PUBLIC_API";

    private static readonly string[] s_libraries =
        ["Vizsla.Hub", "Vizsla.HubServer", "Vizsla.Imaging", "Vizsla.Data", "Vizsla.Heif", "Vizsla", "Vizsla.Onnx", "Vizsla.Serving", "Vizsla.Studio"];

    public static TheoryData<string> Libraries => [.. s_libraries];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void The_public_surface_is_the_one_that_was_decided(string assembly)
    {
        using var module = Dependencies.Open(assembly);
        var file = Path.Combine(Golden.Checkout, "src", assembly, "PublicApi.txt");
        var actual = PublicApi.Of(module).ToList();
        if (Environment.GetEnvironmentVariable(Update) == "1")
        {
            File.WriteAllLines(file, actual);
        }

        var decided = File.ReadAllLines(file);

        var changes = actual.Except(decided).Select(line => "+ " + line).Concat(decided.Except(actual).Select(line => "- " + line)).ToList();
        Assert.True(changes.Count == 0, $"src/{assembly}/PublicApi.txt says otherwise. Make what users do not need internal, or write the list anew with {Update}=1.\n{string.Join('\n', changes)}");
    }

    /// <summary>Code of the libraries or the tool uses a public member, or tests, samples or documents name it.</summary>
    [Fact]
    public void Every_public_member_has_a_caller_a_test_or_a_mention()
    {
        var modules = s_libraries.Select(Dependencies.Open).ToList();
        var used = modules.SelectMany(Dependencies.Uses).ToHashSet();
        var words = Words();

        // Not asked of: values of enumerations, which are plain numbers where they are used; constructors of components, which the framework calls.
        var unused = modules.SelectMany(PublicApi.Callable).Where(m => !m.DeclaringType.IsEnum && m is not MethodDefinition { IsConstructor: true, HasParameters: false })
            .Where(m => !words.Contains(NameOf(m)) && !IsSetByMarkup(m) && !WithAccessors(m).Any(a => used.Contains(a.FullName)))
            .Select(m => $"{m.DeclaringType.FullName}.{NameOf(m)}").Distinct().ToList();
        modules.ForEach(m => m.Dispose());

        Assert.True(unused.Count == 0, $"Nothing uses, tests or mentions what is public: make it internal, remove it, or show it in the documents.\n{string.Join('\n', unused)}");
    }

    private static string NameOf(IMemberDefinition member) => member switch
    {
        MethodDefinition { IsConstructor: true } => member.DeclaringType.Name.Split('`')[0],
        MethodDefinition { IsSpecialName: true } => member.Name[(member.Name.IndexOf('_', StringComparison.Ordinal) + 1)..],
        _ => member.Name,
    };

    // The accessors of a property are used together.
    private static IEnumerable<IMemberDefinition> WithAccessors(IMemberDefinition member) =>
        member is MethodDefinition { IsSpecialName: true, IsConstructor: false } && member.DeclaringType.Properties.FirstOrDefault(p => p.GetMethod == member || p.SetMethod == member) is { } property
            ? new IMemberDefinition?[] { property.GetMethod, property.SetMethod }.OfType<IMemberDefinition>() : [member];

    // Parameters of components, which pages give by name.
    private static bool IsSetByMarkup(IMemberDefinition member) =>
        member is MethodDefinition { IsSpecialName: true } accessor && accessor.DeclaringType.Properties.Any(p => (p.GetMethod == accessor || p.SetMethod == accessor)
            && p.CustomAttributes.Any(a => a.AttributeType.Name.EndsWith("ParameterAttribute", StringComparison.Ordinal)));

    // What the tool, tests, benchmarks, samples, templates, pages and documents say.
    private static HashSet<string> Words() =>
        [.. new[] { "src/Vizsla.Cli", "tests", "bench", "samples", "packages", "docs", "src/Vizsla.Studio" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Golden.Checkout, folder), "*.*", SearchOption.AllDirectories))
            .Where(f => Path.GetExtension(f) is ".cs" or ".md" && f.Split(Path.DirectorySeparatorChar).All(part => part is not ("obj" or "bin"))
                || Path.GetExtension(f) == ".razor")
            .Concat(Directory.EnumerateFiles(Path.Combine(Golden.Checkout, "src"), "README.md", SearchOption.AllDirectories))
            .Append(Path.Combine(Golden.Checkout, "README.md"))
            .SelectMany(f => Word().Matches(File.ReadAllText(f)).Select(m => m.Value))];

    [GeneratedRegex(@"[A-Za-z_][A-Za-z0-9_]*")]
    private static partial Regex Word();
}
