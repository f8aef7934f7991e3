namespace Vizsla.HouseRules;

/// <summary>A project is cut where a dependency stops (docs/architecture.md, section 1).</summary>
public sealed class BorderTests
{
    // A name stands for those below it too; behind '=' it stands for itself.
    [Theory]
    [InlineData("Vizsla.Hub", "TorchSharp", "SkiaSharp", "Microsoft.AspNetCore", "Spectre", "Vizsla.Imaging", "Vizsla.Data", "Microsoft.Data.Sqlite")]
    [InlineData("Vizsla.Imaging", "TorchSharp", "ParquetSharp", "Apache.Arrow", "Sylvan", "Microsoft.AspNetCore", "Spectre", "System.CommandLine", "Vizsla.Data")]
    [InlineData("Vizsla.Data", "TorchSharp", "Microsoft.AspNetCore", "Spectre", "System.CommandLine")]
    [InlineData("Vizsla", "Microsoft.AspNetCore", "Spectre", "System.CommandLine", "Microsoft.Data.Sqlite")]
    [InlineData("Vizsla.Serving", "TorchSharp", "=Vizsla", "Vizsla.Data", "Vizsla.Onnx", "Microsoft.ML.OnnxRuntime", "Microsoft.OpenApi", "OpenTelemetry", "Vizsla.HubServer")]
    [InlineData("Vizsla.Onnx", "TorchSharp", "=Vizsla", "Vizsla.Data", "Microsoft.AspNetCore", "Vizsla.HubServer")]
    [InlineData("Vizsla.Studio", "Spectre", "System.CommandLine", "Vizsla.HubServer")]
    [InlineData("Vizsla.HubServer", "TorchSharp", "Spectre", "System.CommandLine", "Vizsla.Imaging", "Vizsla.Data")]
    public void A_project_does_not_reach_past_its_border(string assembly, params string[] kept)
    {
        using var module = Dependencies.Open(assembly);

        var crossed = module.AssemblyReferences.Select(r => r.Name)
            .Where(name => kept.Any(k => name == k.TrimStart('=') || name.StartsWith(k + '.', StringComparison.Ordinal)));

        Assert.Empty(crossed);
    }

    [Fact]
    public void Platform_calls_of_the_main_library_live_in_Native()
    {
        using var module = Dependencies.Open("Vizsla");

        var elsewhere = module.GetTypes()
            .Where(t => t.Methods.Any(m => m.IsPInvokeImpl) && !Dependencies.NamespaceOf(t).StartsWith("Vizsla.Native", StringComparison.Ordinal))
            .Select(t => t.FullName);

        Assert.Empty(elsewhere);
    }

    [Theory]
    [InlineData("Vizsla.Hub")]
    [InlineData("Vizsla.Imaging")]
    [InlineData("Vizsla.Data")]
    [InlineData("Vizsla")]
    [InlineData("Vizsla.Onnx")]
    [InlineData("Vizsla.Serving")]
    public void Libraries_never_write_to_the_console(string assembly)
    {
        using var module = Dependencies.Open(assembly);

        var writers = Dependencies.Of(module).Where(d => d.To.FullName == "System.Console").Select(d => d.From.FullName).Distinct();

        Assert.Empty(writers);
    }
}
