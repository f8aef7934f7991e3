using Vizsla.Testing;

namespace Vizsla.HouseRules;

/// <summary>
/// What is public is a decision: each library lists it in <c>PublicApi.txt</c>, and a change of the list is read with the change of the code.
/// <c>VIZSLA_UPDATE_PUBLIC_API=1 dotnet test tests/Vizsla.HouseRules -c Release --filter PublicApi</c> writes the lists anew.
/// </summary>
public sealed class PublicApiTests
{
    private const string Update = "VIZSLA_UPDATE_PUBLIC_API";

    [Theory]
    [InlineData("Vizsla.Hub")]
    [InlineData("Vizsla.HubServer")]
    [InlineData("Vizsla.Imaging")]
    [InlineData("Vizsla.Data")]
    [InlineData("Vizsla.Heif")]
    [InlineData("Vizsla")]
    [InlineData("Vizsla.Onnx")]
    [InlineData("Vizsla.Serving")]
    [InlineData("Vizsla.Studio")]
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
}
