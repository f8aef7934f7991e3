using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Vizsla.Export;
using Vizsla.Hub;
using Vizsla.HubServer;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Onnx;
using Vizsla.Testing;
using Vizsla.Transforms;

namespace Vizsla.Cli.Tests.Commands;

/// <summary>transformers.js, in Node and in Chromium, classifies a photo with exported folders that our own Hub serves.</summary>
[Trait("Category", "Slow")]
public sealed class TransformersJsTests : IAsyncDisposable
{
    private const string Chromium = "/usr/bin/chromium";
    private const string Page = "transformers.js/page.html";

    // Equal pixels: sums of products in another order; for int8, layers that one build of ONNX Runtime computes in integers and another in floats.
    private const double Near = 1e-4;
    private const double NearInt8 = 0.05;

    // Other pixels: transformers.js resizes without a filter's support growing with the scale, and a page by the browser's canvas.
    private const double NearResized = 0.15;

    private static readonly string s_packages = Path.Combine(Golden.Checkout, "artifacts", "transformers", "node_modules");
    private static readonly string s_script = Path.Combine(Golden.Checkout, "tests", "Vizsla.Cli.Tests", "Commands", "classify.mjs");

    private readonly TemporaryFolder _folder = new();
    private HubServerHost? _hub;

    public async ValueTask DisposeAsync()
    {
        if (_hub is not null)
        {
            await _hub.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task Node_gives_our_scores()
    {
        RequirePackages();
        await CompareAsync(async jobs =>
        {
            using var node = Process.Start(new ProcessStartInfo("node", [s_script, Path.Combine(s_packages, "@huggingface", "transformers", "dist", "transformers.node.mjs"), _hub!.Address.ToString(), jobs, _folder["cache"]])
            { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var errors = node.StandardError.ReadToEndAsync();
            var answers = await node.StandardOutput.ReadToEndAsync();
            await node.WaitForExitAsync();
            Assert.True(node.ExitCode == 0, await errors);
            return answers;
        });
    }

    [Fact]
    public async Task A_page_in_Chromium_gives_our_scores()
    {
        RequirePackages();
        Assert.SkipUnless(File.Exists(Chromium), "skipped: no /usr/bin/chromium (apt-get install chromium)");
        await CompareAsync(async jobs =>
        {
            using var playwright = await Playwright.CreateAsync();
            await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Chromium, Args = ["--no-sandbox", "--disable-background-networking"] });
            var page = await browser.NewPageAsync();

            // The page and its scripts beside the Hub's own addresses, as an application has them on one host.
            await page.RouteAsync(new Uri(_hub!.Address, "transformers.js/").ToString() + "**", async route =>
            {
                var path = new Uri(route.Request.Url).AbsolutePath["/transformers.js/".Length..];
                await (path == "page.html" ? route.FulfillAsync(new() { ContentType = "text/html", Body = Html })
                    : route.FulfillAsync(new() { Path = path == "classify.mjs" ? s_script : Path.Combine(s_packages, path), ContentType = path.EndsWith(".wasm", StringComparison.Ordinal) ? "application/wasm" : "text/javascript" }));
            });
            await page.GotoAsync(new Uri(_hub.Address, Page).ToString());
            return await page.EvaluateAsync<string>("""
                async ([hub, jobs]) => {
                    const library = await import('/transformers.js/@huggingface/transformers/dist/transformers.web.js');
                    library.env.backends.onnx.wasm.wasmPaths = '/transformers.js/onnxruntime-web/dist/';
                    const { classify } = await import('/transformers.js/classify.mjs');
                    return JSON.stringify(await classify(library, hub, JSON.parse(jobs)));
                }
                """, new[] { _hub.Address.ToString(), jobs });
        });
    }

    private const string Html = """
        <!doctype html><title>transformers.js</title>
        <script type="importmap">{"imports": {
            "onnxruntime-web/webgpu": "/transformers.js/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs",
            "onnxruntime-common": "/transformers.js/onnxruntime-common/dist/esm/index.js"
        }}</script>
        """;

    private static void RequirePackages() => Assert.SkipUnless(
        Directory.Exists(Path.Combine(s_packages, "@huggingface", "transformers")),
        "skipped: no transformers.js (npm install --ignore-scripts --prefix artifacts/transformers @huggingface/transformers@4)");

    private async Task CompareAsync(Func<string, Task<string>> classifyAsync)
    {
        Golden.RequireSlow();
        var photos = Directory.GetFiles(Golden.RequireData("kaggle-dogs", "images"), "*.jpg").Order(StringComparer.Ordinal).Take(40).ToList();
        string[] models = [Golden.RequireData("weights", "tf_efficientnet_lite0"), SmallVit()];
        _hub = await HubServerHost.StartAsync(new HubServerOptions { DataDirectory = _folder["hub"], Port = 0 });
        using var hub = new HubClient(HubOptions.FromEnvironment(name => name switch { "HF_HOME" => _folder["home"], "HF_ENDPOINT" => _hub.Address.ToString(), _ => null })
            with { Token = TokenStore.Read(_hub.TokenFile) });
        var cases = new List<(string Model, string Type, string Picture, IReadOnlyList<Prediction> Expected, double Near)>();
        foreach (var model in models)
        {
            var name = $"user/{Path.GetFileName(model)}";
            var exported = await ExportAsync(model, photos);
            using var network = OnnxClassifier.Load(exported);

            // A photo of the size that the processor resizes to, without loss: nothing is left but to cut, to scale and to compute.
            var fitting = _folder[$"{Path.GetFileName(model)}.png"];
            using (var photo = ImageCodec.Load(photos[0]))
            using (var resized = Resampler.Resize(photo, Edge(network.Processor!.Size), Edge(network.Processor.Size), Interpolation.Bicubic))
            {
                ImageCodec.SavePng(resized, fitting);
            }

            File.Copy(fitting, Path.Combine(exported, "fitting.png"));
            File.Copy(photos[0], Path.Combine(exported, "photo.jpg"));
            var repo = RepoId.Model(name);
            await hub.CreateRepoAsync(repo);
            await hub.CommitAsync(repo, [.. Directory.GetFiles(exported, "*", SearchOption.AllDirectories).Select(f => new CommitAdd(Path.GetRelativePath(exported, f), File.ReadAllBytes(f)))], "Add");
            foreach (var (type, file) in new[] { ("fp32", "model.onnx"), ("q8", "model_quantized.onnx") })
            {
                using var ours = OnnxClassifier.Load(exported, new() { FileName = file });
                cases.Add((name, type, "fitting.png", ours.Predict(fitting, topK: ours.Labels.Count), type == "q8" ? NearInt8 : Near));
                cases.Add((name, type, "photo.jpg", ours.Predict(photos[0], topK: ours.Labels.Count), NearResized));
            }
        }

        var jobs = JsonSerializer.Serialize(cases.Select(c => new { model = c.Model, dtype = c.Type, picture = $"{_hub.Address}{c.Model}/resolve/main/{c.Picture}" }));
        var answers = JsonNode.Parse(await classifyAsync(jobs))!.AsArray();

        Assert.Equal(cases.Count, answers.Count);
        foreach (var (wanted, answer) in cases.Zip(answers))
        {
            var scores = answer!.AsArray().ToDictionary(p => (string)p!["label"]!, p => (double)p!["score"]!);
            var largest = wanted.Expected.Max(p => Math.Abs(p.Score - scores[p.Label]));
            TestContext.Current.SendDiagnosticMessage($"{wanted.Model} {wanted.Type} {wanted.Picture}: ours {wanted.Expected[0].Label} {wanted.Expected[0].Score:F4}, theirs {(string)answer[0]!["label"]!} {(double)answer[0]!["score"]!:F4}, largest difference {largest:E1}");

            // Which says the first class too, where the first is far enough from the second.
            Assert.True(largest <= wanted.Near, $"{wanted.Model} {wanted.Type} {wanted.Picture}: differs by {largest}, allowed {wanted.Near}");
        }
    }

    private static int Edge(ImageSize size) => size.Height;

    // The first recorded ViT.
    private static string SmallVit() => Directory.GetDirectories(Golden.Require("vit")).Order(StringComparer.Ordinal)
        .First(f => (string?)JsonNode.Parse(File.ReadAllText(Path.Combine(f, "config.json")))!["model_type"] == "vit" && File.Exists(Path.Combine(f, "model.safetensors")));

    private async Task<string> ExportAsync(string model, List<string> photos)
    {
        var output = _folder[$"{Path.GetFileName(model)}-exported"];
        using var run = new ConsoleRun();
        Assert.True(await CommandLine.RunAsync(["export", "--model", model, "--output", output, "--verify_on", photos[0], photos[1]], run.Console) == 0, run.ErrorText);
        using var classifier = ImageClassifier.FromPretrained(model);
        var pictures = photos.Select(f => ImageCodec.Load(f)).ToList();
        classifier.ExportOnnx(Path.Combine(output, "onnx"), OnnxPrecision.Int8, pictures);
        pictures.ForEach(p => p.Dispose());
        return output;
    }
}
