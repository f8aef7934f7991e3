using System.Diagnostics;
using System.Runtime.InteropServices;
using Vizsla.Testing;

namespace Vizsla.Packages.Tests;

/// <summary>The packages of this checkout in a folder, and a place outside of it where programs take them from there, with an empty package cache.</summary>
public sealed class Feed : IDisposable
{
    private const string Version = "0.0.0-test.1";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);
    private readonly TemporaryFolder _folder = new();
    private readonly Lazy<string> _tool;

    public Feed()
    {
        _tool = new Lazy<string>(() =>
        {
            Dotnet(Root, "tool", "install", "Vizsla.Tool", "--prerelease", "--tool-path", _folder["tools"]);
            return _folder["tools", "vizsla"];
        });
        if (Environment.GetEnvironmentVariable("VIZSLA_SLOW") != "1" || OperatingSystem.IsWindows())
        {
            return;
        }

        // A copy of what is under version control, or will be: the other tests' projects are being built in the checkout itself.
        var source = _folder["source"];
        foreach (var file in Run(Golden.Checkout, "git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            if (File.Exists(Path.Combine(Golden.Checkout, file)))
            {
                _ = Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(source, file))!);
                File.Copy(Path.Combine(Golden.Checkout, file), Path.Combine(source, file));
            }
        }

        Run(source, "bash", [Path.Combine(source, "build", "pack"), Packages, Version], ("TOOL_RIDS", $"{RuntimeInformation.RuntimeIdentifier} {OtherSystem}"));
        File.WriteAllText(_folder["nuget.config"], $"""<configuration><packageSources><add key="vizsla" value="{Packages}" /></packageSources></configuration>""");
        Dotnet(Root, "new", "install", Path.Combine(Packages, $"Vizsla.Templates.{Version}.nupkg"), "--debug:custom-hive", Hive);
    }

    /// <summary>A system that the tool is packed for besides this one.</summary>
    public static string OtherSystem => OperatingSystem.IsMacOS() ? "linux-x64" : "osx-arm64";

    /// <summary>Where the packages lie.</summary>
    public string Packages => _folder["packages"];

    /// <summary>Where programs are made.</summary>
    public string Root => _folder[""];

    /// <summary>The installed tool.</summary>
    public string Tool => _tool.Value;

    private string Hive => _folder["hive"];

    /// <summary>A program from a template.</summary>
    /// <returns>Its folder.</returns>
    public string New(string template, string name)
    {
        Dotnet(Root, "new", template, "-o", name, "--debug:custom-hive", Hive);
        return _folder[name];
    }

    /// <summary>Makes a project file that references packages of this version, and a program beside it.</summary>
    /// <returns>Its folder.</returns>
    public string Write(string name, string project, string program)
    {
        var folder = Directory.CreateDirectory(_folder[name]).FullName;
        File.WriteAllText(Path.Combine(folder, name + ".csproj"), project.Replace("VIZSLA_VERSION", Version, StringComparison.Ordinal));
        File.WriteAllText(Path.Combine(folder, "Program.cs"), program);
        return folder;
    }

    /// <summary>Runs <c>dotnet</c> in a folder and returns what it wrote; it must end with 0 unless another code is expected.</summary>
    public string Dotnet(string folder, params string[] words) => Run(folder, "dotnet", words);

    /// <summary>Runs a program that must end with 0.</summary>
    public string Run(string folder, string program, string[] words, params (string Name, string Value)[] environment)
    {
        using var process = Start(folder, program, words, environment);
        var error = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEnd();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
        }

        text += error.Result;
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', words)}: exit code {process.ExitCode}\n{text}");
        return text;
    }

    /// <summary>Starts a program with an empty package cache of this feed's own.</summary>
    public Process Start(string folder, string program, string[] words, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, words) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["NUGET_PACKAGES"] = _folder["cache"];
        start.Environment["DOTNET_CLI_HOME"] = _folder["home"];
        start.Environment["DOTNET_NOLOGO"] = start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    public void Dispose() => _folder.Dispose();
}
