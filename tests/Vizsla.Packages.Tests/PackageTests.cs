using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Vizsla.Testing;

namespace Vizsla.Packages.Tests;

/// <summary>What a user gets from the packages alone: programs outside of this checkout, restored from a folder of packages into an empty cache.</summary>
[Trait("Category", "Slow")]
public sealed partial class PackageTests(Feed feed) : IClassFixture<Feed>
{
    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
          <ItemGroup>REFERENCES</ItemGroup>
        </Project>
        """;

    [Fact]
    public void A_program_of_the_template_trains_evaluates_and_predicts()
    {
        Require();
        var folder = feed.New("vizsla-classifier", "Animals");
        var photos = Photos(folder);

        var build = feed.Dotnet(folder, "build", "-c", "Release");
        var training = feed.Dotnet(folder, "run", "-c", "Release", "--no-build", "--", "train", photos, "vit-nano");
        var evaluation = feed.Dotnet(folder, "run", "-c", "Release", "--no-build", "--", "evaluate");
        var photo = Directory.EnumerateFiles(photos, "*.png", SearchOption.AllDirectories).First();
        var prediction = feed.Dotnet(folder, "run", "-c", "Release", "--no-build", "--", "predict", photo);

        Assert.DoesNotContain("warning", build, StringComparison.Ordinal);
        Assert.Contains("eval_accuracy", training, StringComparison.Ordinal);
        Assert.Matches("eval_accuracy [01]\\.[0-9]{4}", evaluation);
        Assert.Matches($"^{Regex.Escape(photo)}: (blue|red) \\([01]\\.[0-9]{{4}}\\)", prediction);
        Assert.DoesNotContain(Directory.EnumerateFiles(folder, "*.*", SearchOption.AllDirectories), f => Unwanted().IsMatch(Path.GetFileName(f)));
    }

    [Fact]
    public void Without_a_backend_the_build_and_the_program_name_what_is_missing()
    {
        Require();
        var folder = feed.Write("Bare", Project.Replace("REFERENCES", """<PackageReference Include="Vizsla" Version="VIZSLA_VERSION" />""", StringComparison.Ordinal), """
            try { Vizsla.ImageClassifier.Create("vit-nano", ["cat", "dog"], imageSize: 32).Dispose(); }
            catch (Exception e) { Console.WriteLine(e.Message); }
            """);

        Assert.Contains("warning VIZSLA001: Vizsla computes with libtorch, which no package of this program contains. Add one: 'dotnet add package Vizsla.Backend.Cpu'", feed.Dotnet(folder, "build"), StringComparison.Ordinal);
        Assert.Contains("Vizsla.Backend.Cpu", feed.Dotnet(folder, "run", "--no-build"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_of_the_template_answers()
    {
        Require();
        var model = Model("ServiceModel");
        var folder = feed.New("vizsla-service", "Service");
        feed.Dotnet(folder, "build", "-c", "Release");

        using var process = feed.Start(folder, "dotnet", ["run", "-c", "Release", "--no-build", "--", "--model", model, "--urls", "http://127.0.0.1:0"]);
        try
        {
            var address = await Said(process);
            using var client = new HttpClient();
            var (status, answer) = (HttpStatusCode.ServiceUnavailable, "");
            // The model is loaded once the service listens; until then it says so.
            while (status == HttpStatusCode.ServiceUnavailable)
            {
                using var body = new ByteArrayContent(Drawing.Png(200, 40, 40));
                body.Headers.ContentType = new MediaTypeHeaderValue("image/png");
                using var response = await client.PostAsync(new Uri($"{address}/models/pets"), body);
                (status, answer) = (response.StatusCode, await response.Content.ReadAsStringAsync());
            }

            Assert.Matches("\"label\": ?\"(cat|dog)\"", answer);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    [Fact]
    public void The_tool_is_installed_and_runs()
    {
        Require();
        var pointer = Directory.EnumerateFiles(feed.Packages, "Vizsla.Tool.0*.nupkg").Single();
        using (var zip = System.IO.Compression.ZipFile.OpenRead(pointer))
        using (var settings = zip.Entries.Single(e => e.Name == "DotnetToolSettings.xml").Open())
        {
            Assert.Equal(
                new[] { RuntimeInformation.RuntimeIdentifier, Feed.OtherSystem }.Order(StringComparer.Ordinal),
                XDocument.Load(settings).Descendants("RuntimeIdentifierPackage").Select(e => (string)e.Attribute("RuntimeIdentifier")!).Order(StringComparer.Ordinal));
        }

        Assert.Contains("vit-nano", feed.Run(feed.Root, feed.Tool, ["models"]), StringComparison.Ordinal);
        Assert.Contains("pets-probe", feed.Run(feed.Root, feed.Tool, ["train", "--help"]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_of_one_file_classifies()
    {
        Require();
        var (folder, model, photo) = Script("Classify");

        Assert.Matches($"{Regex.Escape(photo)}: (cat|dog) \\([01]\\.[0-9]{{4}}\\)", feed.Dotnet(folder, "run", "Classify.cs", "--", model, photo));
    }

    [Fact]
    public void A_pipeline_of_ML_NET_runs_what_export_writes()
    {
        Require();
        var (folder, model, photo) = Script("MlNet");
        feed.Run(folder, feed.Tool, ["export", "--model", model, "--with_preprocessing", "--verify_on", photo, "--output", "exported"]);
        var expected = feed.Run(folder, feed.Tool, ["predict", photo, "--model", model, "--top", "1", "--format", "csv"]);

        var answer = feed.Dotnet(folder, "run", "MlNet.cs", "--", Path.Combine("exported", "onnx", "model_with_preprocessing.onnx"), photo);

        var (label, score) = Answer().Match(answer) is { Success: true } found ? (found.Groups[1].Value, found.Groups[2].Value) : (answer, "");
        Assert.Contains($",{label},{score[..4]}", expected, StringComparison.Ordinal);
    }

    [Fact]
    public void A_test_project_tests_a_model()
    {
        Require();
        var folder = feed.Write("Checks", """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings><OutputType>Exe</OutputType></PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Microsoft.NET.Test.Sdk" Version="*" />
                <PackageReference Include="xunit.v3.mtp-off" Version="*" />
                <PackageReference Include="xunit.runner.visualstudio" Version="*" />
                <PackageReference Include="Vizsla" Version="VIZSLA_VERSION" />
                <PackageReference Include="Vizsla.Backend.Cpu" Version="VIZSLA_VERSION" />
              </ItemGroup>
            </Project>
            """, """
            public sealed class Checks
            {
                [Xunit.Fact]
                public void A_model_has_its_labels()
                {
                    using var model = Vizsla.ImageClassifier.Create("vit-nano", ["cat", "dog"], imageSize: 32, seed: 1);
                    Xunit.Assert.Equal(["cat", "dog"], model.Labels);
                }
            }
            """);

        Assert.Matches("Passed: +1", feed.Dotnet(folder, "test"));
    }

    [Fact]
    public async Task A_program_that_was_compiled_ahead_of_time_talks_to_a_Hub()
    {
        Require();
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/gcc"), "skipped: programs are linked with gcc here, on Linux");
        var folder = feed.Write("Ahead", """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings>
                <PublishAot>true</PublishAot><CppCompilerAndLinker>gcc</CppCompilerAndLinker><TreatWarningsAsErrors>true</TreatWarningsAsErrors>
              </PropertyGroup>
              <ItemGroup><PackageReference Include="Vizsla.Hub" Version="VIZSLA_VERSION" /></ItemGroup>
            </Project>
            """, """
            using Vizsla.Hub;

            using var hub = new HubClient();
            var repo = RepoId.Parse("user/pets", RepoType.Dataset);
            await hub.CreateRepoAsync(repo);
            await hub.UploadFolderAsync(repo, args[0]);
            var files = Directory.EnumerateFiles(await hub.SnapshotDownloadAsync(repo)).Select(Path.GetFileName).Where(f => !f!.StartsWith('.')).Order();
            Console.WriteLine($"{(await hub.WhoAmIAsync()).Name}: {string.Join(' ', files)}");
            """);
        feed.Dotnet(folder, "publish", "-c", "Release", "-o", "out");
        var photos = Directory.CreateDirectory(Path.Combine(folder, "photos")).FullName;
        File.WriteAllBytes(Path.Combine(photos, "red.png"), Drawing.Png(200, 40, 40));
        var data = Path.Combine(folder, "hub");

        using var server = feed.Start(folder, feed.Tool, ["hub", "serve", "--data", data, "--port", "0"]);
        try
        {
            var address = await Said(server);

            Assert.Equal("user: red.png", feed.Run(folder, Path.Combine(folder, "out", "Ahead"), [photos],
                ("HF_ENDPOINT", address), ("HF_HOME", Path.Combine(folder, "home")), ("HF_TOKEN", File.ReadAllText(Path.Combine(data, "token")).Trim())).Trim());
        }
        finally
        {
            server.Kill(entireProcessTree: true);
        }
    }

    [Fact]
    public void Every_package_is_small_enough_for_a_gallery_and_carries_readme_icon_and_notices()
    {
        Require();
        foreach (var package in Directory.EnumerateFiles(feed.Packages, "*.nupkg"))
        {
            using var zip = System.IO.Compression.ZipFile.OpenRead(package);
            var names = zip.Entries.Select(e => e.FullName).ToHashSet();

            Assert.InRange(new FileInfo(package).Length, 1, 200_000_000);
            Assert.Superset(new HashSet<string> { "README.md", "icon.png", "THIRD-PARTY-NOTICES.md" }, names);
            Assert.DoesNotContain(names, n => Unwanted().IsMatch(Path.GetFileName(n)));
        }
    }

    // A program of one file in a folder of its own, with a model and a picture for it.
    private (string Folder, string Model, string Photo) Script(string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(feed.Root, name)).FullName;
        File.Copy(Path.Combine(Golden.Checkout, "samples", "Scripts", name + ".cs"), Path.Combine(folder, name + ".cs"));
        var photo = Path.Combine(folder, "photo.png");
        File.WriteAllBytes(photo, Drawing.Png(200, 40, 40));
        return (folder, Model(name + "Model"), photo);
    }

    // A model with random weights, made by a program of its own.
    private string Model(string name)
    {
        var maker = feed.Write(name, Project.Replace("REFERENCES", """<PackageReference Include="Vizsla" Version="VIZSLA_VERSION" /><PackageReference Include="Vizsla.Backend.Cpu" Version="VIZSLA_VERSION" />""", StringComparison.Ordinal), """
            using var model = Vizsla.ImageClassifier.Create("vit-nano", ["cat", "dog"], imageSize: 32, seed: 1);
            model.Save("model");
            """);
        feed.Dotnet(maker, "run");
        return Path.Combine(maker, "model");
    }

    // The address that a server says it listens on.
    private static async Task<string> Said(Process server)
    {
        while (await server.StandardOutput.ReadLineAsync() is { } line)
        {
            if (Address().Match(line) is { Success: true } found)
            {
                // Read on, or its pipes are full one day and it waits.
                _ = server.StandardOutput.ReadToEndAsync();
                _ = server.StandardError.ReadToEndAsync();
                return found.Value;
            }
        }

        Assert.Fail($"The server ended without saying where it listens: {await server.StandardError.ReadToEndAsync()}");
        return "";
    }

    private static void Require()
    {
        Golden.RequireSlow();
        Assert.SkipWhen(OperatingSystem.IsWindows(), "skipped: build/pack is a script for bash");
    }

    private static string Photos(string folder)
    {
        var photos = Path.Combine(folder, "photos");
        foreach (var (name, red, blue) in new[] { ("red", 220, 30), ("blue", 30, 220) })
        {
            var classFolder = Directory.CreateDirectory(Path.Combine(photos, name)).FullName;
            for (var i = 0; i < 16; i++)
            {
                File.WriteAllBytes(Path.Combine(classFolder, $"{i:00}.png"), Drawing.Png((byte)(red - i), (byte)(3 * i), (byte)(blue - i)));
            }
        }

        return photos;
    }

    // What libtorch's packages hold for Python, for tests, and debug files of native libraries.
    [GeneratedRegex("torch_python|torchbind_test|jitbackend_test|libSkiaSharp\\.pdb|libMagick.*\\.pdb")]
    private static partial Regex Unwanted();

    [GeneratedRegex("photo\\.png: (cat|dog) \\(([01]\\.[0-9]{4})\\)")]
    private static partial Regex Answer();

    [GeneratedRegex("http://127\\.0\\.0\\.1:[0-9]+")]
    private static partial Regex Address();
}
