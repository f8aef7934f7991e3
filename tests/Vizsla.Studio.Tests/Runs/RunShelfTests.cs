using Vizsla.Runs;
using Vizsla.Serving;
using Vizsla.Studio.Runs;
using Vizsla.Testing;
using Vizsla.Training.Checkpoints;

namespace Vizsla.Studio.Tests.Runs;

public sealed class RunShelfTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RunLibrary _library;
    private readonly RunShelf _shelf;

    public RunShelfTests()
    {
        var options = new StudioOptions { Runs = _folder.Path };
        _library = new RunLibrary(options, TimeProvider.System);
        _shelf = new RunShelf(_library, options);
        Write("sweep/a");
        Write("sweep/b");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tags_and_notes_lie_in_the_run_folder_and_go_when_they_are_taken_back()
    {
        var notes = new RunNotes(RunNotes.ParseTags(" paper, seed 3,, Paper"), "The good one.");

        _shelf.Write("sweep/a", RunNotes.None, notes);

        Assert.Equal(["paper", "seed 3"], _library.Find("sweep/a")!.Notes.Tags);
        Assert.Equal(notes, _library.Look().Single(r => r.Name == "sweep/a").Notes);
        Assert.True(File.Exists(_folder["sweep", "a", "_studio.json"]));

        _shelf.Write("sweep/a", notes, RunNotes.None);
        Assert.Equal(RunNotes.None, _library.Find("sweep/a")!.Notes);
        Assert.False(File.Exists(_folder["sweep", "a", "_studio.json"]));
    }

    [Fact]
    public void What_another_window_wrote_is_not_written_over()
    {
        _shelf.Write("sweep/a", RunNotes.None, new RunNotes([], "One."));

        var e = Assert.Throws<RefusedException>(() => _shelf.Write("sweep/a", RunNotes.None, new RunNotes([], "Two.")));

        Assert.Equal("Another window changed what is written about 'sweep/a'. Open it again and repeat your change.", e.Message);
        Assert.Equal("One.", _library.Find("sweep/a")!.Notes.Text);
    }

    [Fact]
    public void A_run_is_renamed_within_its_folder_and_back()
    {
        Assert.Equal("sweep/lr 3e-5", _shelf.Rename("sweep/a", "lr 3e-5"));
        Assert.Equal(["sweep/b", "sweep/lr 3e-5"], _library.Look().Select(r => r.Name).Order(StringComparer.Ordinal));

        Assert.Equal("sweep/a", _shelf.Rename("sweep/lr 3e-5", "a"));
        Assert.NotNull(_library.Find("sweep/a"));
    }

    [Theory]
    [InlineData("../c", "'../c' cannot be the name of a run: expected up to 100 letters, digits, spaces and '.', '-', '_', '+', '=', not beginning with '.' or '_'.")]
    [InlineData(".c", "'.c' cannot be the name of a run: expected up to 100 letters, digits, spaces and '.', '-', '_', '+', '=', not beginning with '.' or '_'.")]
    [InlineData("b", "There is already a folder 'sweep/b'. Choose another name.")]
    public void A_name_that_cannot_be_is_refused_and_nothing_moves(string name, string message)
    {
        Assert.Equal(message, Assert.Throws<RefusedException>(() => _shelf.Rename("sweep/a", name)).Message);
        Assert.True(Directory.Exists(_folder["sweep", "a"]));
    }

    [Fact]
    public void A_deleted_run_comes_back_whole_also_when_its_name_was_deleted_twice()
    {
        var first = _shelf.Delete("sweep/a");
        Assert.Equal(["sweep/b"], _library.Look().Select(r => r.Name));
        Write("sweep/a");
        var second = _shelf.Delete("sweep/a");
        Assert.Equal(2, _shelf.ListDeleted().Count);

        _shelf.Restore(second);
        var e = Assert.Throws<RefusedException>(() => _shelf.Restore(first));

        Assert.Equal("There is already a folder 'sweep/a'. Choose another name.", e.Message);
        Assert.Equal([first], _shelf.ListDeleted());
        Assert.NotNull(_library.Find("sweep/a"));
    }

    [Fact]
    public void What_is_asked_back_must_be_among_the_deleted()
    {
        _folder.WriteText("outside.txt", "");

        var e = Assert.Throws<RefusedException>(() => _shelf.Restore(new DeletedRun("..", "outside.txt")));

        Assert.Equal("The run 'outside.txt' is no longer among the deleted ones.", e.Message);
    }

    [Fact]
    public void A_training_is_asked_to_stop_and_is_not_moved_meanwhile()
    {
        using (RunLock.Take(_folder["sweep", "a"]))
        {
            _shelf.Stop("sweep/a");

            Assert.True(StopRequest.IsIn(_folder["sweep", "a"]));
            Assert.Equal("A training runs in 'sweep/a'. Stop it first.", Assert.Throws<RefusedException>(() => _shelf.Delete("sweep/a")).Message);
            Assert.Equal("A training runs in 'sweep/a'. Stop it first.", Assert.Throws<RefusedException>(() => _shelf.Rename("sweep/a", "c")).Message);
        }

        Assert.Equal("No training runs in 'sweep/a' on this computer.", Assert.Throws<RefusedException>(() => _shelf.Stop("sweep/a")).Message);
        Assert.Equal("The run 'sweep/c' is gone: its folder was moved or deleted.", Assert.Throws<RefusedException>(() => _shelf.Stop("sweep/c")).Message);
    }

    [Fact]
    public void A_studio_of_one_run_does_not_move_the_folder_it_was_given()
    {
        var options = new StudioOptions { Runs = _folder["sweep", "a"] };
        var shelf = new RunShelf(new RunLibrary(options, TimeProvider.System), options);

        var e = Assert.Throws<RefusedException>(() => shelf.Delete("a"));

        Assert.Equal("The studio was started with this run alone; start it with the folder above to rename or delete it.", e.Message);
        shelf.Write("a", RunNotes.None, new RunNotes(["kept"]));
        Assert.Equal(["kept"], _library.Find("sweep/a")!.Notes.Tags);
    }

    private void Write(string name) => _folder.WriteText($"{name}/events.jsonl", """
        {"event": "train_begin", "time": "2026-01-01T10:00:00Z", "step": 0, "max_steps": 10}
        {"event": "train_end", "time": "2026-01-01T10:01:00Z", "step": 10}

        """);
}
