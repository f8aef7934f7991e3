using Vizsla.Datasets.Drawing;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests;

public sealed class RunReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_run_becomes_one_file_with_its_curves_and_its_pictures_inside()
    {
        var run = SmallModel.Save(_folder["run"]);
        _folder.WriteText("run/events.jsonl", """
            {"event": "train_begin", "time": "2026-01-01T10:00:00Z", "step": 0, "max_steps": 10}
            {"event": "log", "time": "2026-01-01T10:00:05Z", "step": 10, "epoch": 1, "values": {"loss": 1.5, "eval_loss": 1.25, "eval_accuracy": 0.5}}
            {"event": "push", "time": "2026-01-01T10:00:06Z", "step": 10, "message": "End of training", "repo": "ada/pets", "commit": "0123456789abcdef"}
            {"event": "train_end", "time": "2026-01-01T10:00:06Z", "step": 10}

            """);
        _folder.WriteText("run/README.md", "<!-- Proofread,\nthen remove this. -->\n# A card\n<script>alert(1)</script>\n\n| a | b |\n|---|---|\n| 1 | 2 |\n");
        foreach (var animal in AnimalPainter.Classes)
        {
            using var image = AnimalPainter.Paint(animal, 48, new Primitives.Rng(3));
            Imaging.ImageCodec.SaveJpeg(image, _folder.Reserve($"data/test/{animal}/0.jpg"));
        }

        var html = RunReport.Write(run, _folder["data"]);

        Assert.InRange(html.Length, 1, 5_000_000);
        Assert.Contains("\"eval_loss\"".Replace("eval_loss", "run · validation", StringComparison.Ordinal), html.Replace("\\u00B7", "·", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("data:image/jpeg;base64,", html, StringComparison.Ordinal);
        Assert.Contains("id=\"confusion\"", html, StringComparison.Ordinal);
        Assert.Contains("""pushed as <code title="0123456789abcdef">01234567</code>""", html, StringComparison.Ordinal);
        Assert.Contains("A card", html, StringComparison.Ordinal);
        Assert.DoesNotContain("Proofread", html, StringComparison.Ordinal);
        Assert.Contains("""<div class="table-scroll" tabindex="0"><table>""", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>alert", html, StringComparison.Ordinal);
        Assert.DoesNotContain(_folder.Path, html, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_of_somebody_else_runs_nothing_and_shows_nothing_from_outside_its_folder()
    {
        _folder.WriteText("secret.txt", "what nobody asked for");
        _folder.WriteText("elsewhere/cat/0.txt", "");
        _folder.WriteText("run/events.jsonl", "");
        _folder.WriteText("run/training_args.json", $$"""{"dataset": "{{_folder["elsewhere"]}}"}""");
        _folder.WriteText("run/README.md", "[a](javascript:alert(1)) [b](data:text/html,x) [c](vbscript:x) [d](//evil.example) [e](file:///x) <javascript:alert(2)> [good](https://example.org) [near](#here) [post](mailto:a@b.org)");

        var html = RunReport.Write(_folder["run"]);
        File.Delete(_folder["run/README.md"]);
        File.CreateSymbolicLink(_folder["run/README.md"], _folder["secret.txt"]);
        var linked = RunReport.Write(_folder["run"]);

        foreach (var scheme in new[] { "<a href=\"javascript:", "<a href=\"data:", "<a href=\"vbscript:", "<a href=\"//", "<a href=\"file:" })
        {
            Assert.DoesNotContain(scheme, html, StringComparison.Ordinal);
        }

        foreach (var address in new[] { "href=\"https://example.org\"", "href=\"#here\"", "href=\"mailto:a@b.org\"" })
        {
            Assert.Contains(address, html, StringComparison.Ordinal);
        }

        Assert.Matches("script-src 'sha256-[^']+' 'sha256-[^']+'; style-src", html);
        Assert.DoesNotContain("script-src 'unsafe-inline'", html, StringComparison.Ordinal);
        Assert.DoesNotContain("what nobody asked for", linked, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[a](b", 4000)]
    [InlineData("> ", 5000)]
    [InlineData("*a", 100_000)]
    public void A_card_that_takes_a_renderer_long_is_shown_as_it_is(string part, int count)
    {
        _folder.WriteText("run/events.jsonl", "");
        _folder.WriteText("run/README.md", string.Concat(Enumerable.Repeat(part, count)));

        Assert.Contains("<pre>" + System.Net.WebUtility.HtmlEncode(part), RunReport.Write(_folder["run"]), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_run_is_said_to_be_none()
    {
        var refused = Assert.Throws<DirectoryNotFoundException>(() => RunReport.Write(_folder.Path));

        Assert.Equal($"'{_folder.Path}' is not a run: expected a folder with events.jsonl, training_args.json or trainer_state.json.", refused.Message);
    }
}
