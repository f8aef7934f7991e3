using Vizsla.Studio.Runs;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Runs;

public sealed class RunListTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", "-date", "", "c b a")]
    [InlineData("", "best", "", "a c b")]
    [InlineData("", "-best", "", "c a b")]
    [InlineData("", "arg.learning_rate", "", "c b a")]
    [InlineData("vit", "name", "", "a b")]
    [InlineData("VIT paper", "name", "", "b")]
    [InlineData("", "name", "failed", "b")]
    [InlineData("", "nonsense", "nonsense", "c b a")]
    public void Runs_are_searched_filtered_and_sorted_and_what_a_run_lacks_stands_last(string search, string sort, string state, string names)
    {
        Write("a", 1, 0.5, "0.001", "google/vit-base");
        Write("b", 2, null, "5e-05", "google/vit-base", "failed");
        Write("c", 3, 0.75, "2e-05", "resnet");
        new RunNotes(["paper"]).Write(_folder["b"]);

        var list = RunListSettings.From(search, sort, state, null, null).Apply(Library().Look());

        Assert.Equal(names.Split(' '), list.Select(r => r.Name));
    }

    [Fact]
    public void Archived_runs_are_listed_when_asked_for()
    {
        Write("a", 1, 0.5, "1", "m");
        Write("b", 2, 0.5, "1", "m");
        new RunNotes([], IsArchived: true).Write(_folder["a"]);
        var runs = Library().Look();

        Assert.Equal(["b"], RunListSettings.From(null, null, null, null, null).Apply(runs).Select(r => r.Name));
        Assert.Equal(["a"], RunListSettings.From(null, null, null, true, null).Apply(runs).Select(r => r.Name));
    }

    [Fact]
    public void Arguments_are_told_where_they_differ_and_as_a_person_reads_them()
    {
        Write("a", 1, 0.5, "0.001", "google/vit-base");
        Write("b", 2, 0.5, "2e-05", "google/vit-base");
        Write("c", 3, 0.5, "0.001", "resnet");
        var library = Library();

        var differences = RunArguments.Differences([library.Find("a")!, library.Find("b")!, library.Find("c")!]);

        Assert.Equal(["job.model", "learning_rate"], differences.Select(d => d.Name));
        Assert.Equal(["0.001", "2e-5", "0.001"], differences[1].Values);
    }

    [Theory]
    [InlineData("500.0", "500")]
    [InlineData("1e-08", "1e-8")]
    [InlineData("0.0005", "0.0005")]
    [InlineData("""["backbone", "head"]""", "backbone, head")]
    [InlineData("new Compose(\n    new Resize(256))", "new Compose( new Resize(256))")]
    [InlineData("null", "–")]
    [InlineData("[]", "–")]
    [InlineData("adamw_torch", "adamw_torch")]
    public void A_value_reads_without_the_marks_of_its_file(string value, string read) => Assert.Equal(read, RunArguments.Readable(value));

    [Fact]
    public void The_rest_takes_as_long_as_the_pace_since_the_training_was_resumed_says()
    {
        var now = new DateTimeOffset(2026, 1, 1, 12, 0, 30, TimeSpan.Zero);
        var events = new RunEvents();
        foreach (var line in new[]
        {
            """{"event": "train_begin", "time": "2026-01-01T10:00:00Z", "step": 0, "max_steps": 100}""",
            """{"event": "train_begin", "time": "2026-01-01T12:00:00Z", "step": 50, "max_steps": 100}""",
            """{"event": "log", "time": "2026-01-01T12:00:20Z", "step": 60, "values": {"loss": 1}}""",
        })
        {
            events.Add((System.Text.Json.Nodes.JsonObject)JsonFile.Parse(line)!);
        }

        Assert.Equal(TimeSpan.FromSeconds(70), events.TimeLeft(now));
    }

    [Fact]
    public void A_run_keeps_its_color_whatever_comes_and_goes()
    {
        Write("a", 1, 0.5, "1", "m");
        Write("b", 2, 0.5, "1", "m");
        var library = Library();
        library.Look();
        var color = library.ColorOf("b");

        Directory.Delete(_folder["a"], recursive: true);
        Write("c", 0, 0.5, "1", "m");
        library.Look();

        Assert.Equal(color, library.ColorOf("b"));
        Assert.NotEqual(color, library.ColorOf("c"));
    }

    [Fact]
    public void Of_a_run_that_has_ended_the_list_keeps_no_rows_and_its_page_has_them()
    {
        Write("a", 1, 0.5, "1", "m");
        var library = Library();

        Assert.Empty(library.Look().Single().Rows);
        Assert.Single(library.Find("a")!.Rows);
        Assert.Equal(0.5, library.Look().Single().BestValue);
    }

    [Fact]
    public void A_run_whose_folder_is_gone_is_no_longer_found()
    {
        Write("a", 1, 0.5, "1", "m");
        var library = Library();
        Assert.NotNull(library.Find("a"));

        Directory.Delete(_folder["a"], recursive: true);

        Assert.Null(library.Find("a"));
        Assert.Empty(library.Look());
    }

    private RunLibrary Library() => new(new StudioOptions { Runs = _folder.Path }, TimeProvider.System);

    private void Write(string name, int hour, double? accuracy, string rate, string model, string end = "train_end")
    {
        var value = accuracy is { } a ? FormattableString.Invariant($$$"""{"event": "evaluate", "time": "2026-01-01T1{{{hour}}}:01:00Z", "step": 10, "values": {"eval_accuracy": {{{a}}}}}""") + "\n" : "";
        _folder.WriteText($"{name}/events.jsonl", $$"""
            {"event": "train_begin", "time": "2026-01-01T1{{hour}}:00:00Z", "step": 0, "max_steps": 10}
            {{value}}{"event": "{{end}}", "time": "2026-01-01T1{{hour}}:02:00Z", "step": 10}

            """);
        _folder.WriteText($"{name}/training_args.json", $$$"""
            {"arguments": {"learning_rate": {{{rate}}}, "output_dir": "{{{name}}}", "logging_steps": 500.0}, "data": {"train": {"fingerprint": "{{{name}}}"}}, "job": {"model": "{{{model}}}"}}
            """);
    }
}
