using Vizsla.Datasets;
using Vizsla.Datasets.Checks;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Checks;

public sealed class QuarantineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public QuarantineTests()
    {
        foreach (var file in new[] { "train/cat/1.png", "train/cat/2.png", "train/dog/3.png", "test/cat/4.png" })
        {
            _folder.WriteText($"data/{file}", file);
        }
    }

    private string Data => _folder["data"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Moved_files_come_back_to_where_they_were()
    {
        var before = Snapshot();

        var moved = new Quarantine(Data).Move([(At("train/cat/1.png"), "broken"), (At("test/cat/4.png"), "a copy")]);

        Assert.Equal([new("train/cat/1.png", ".quarantine/train/cat/1.png", "broken"), new("test/cat/4.png", ".quarantine/test/cat/4.png", "a copy")], moved);
        Assert.Equal([".quarantine/journal.jsonl", ".quarantine/test/cat/4.png", ".quarantine/train/cat/1.png", "train/cat/2.png", "train/dog/3.png"], Pictures.Tree(Data));
        Assert.Equal(2, ImageDataset.LoadImageFolder(Data).Values.Sum(s => s.Count));

        var undo = new Quarantine(Data).Undo();

        Assert.Equal(moved, undo.Restored);
        Assert.Equal(before, Snapshot());
    }

    [Fact]
    public void Moving_in_several_steps_is_undone_in_one()
    {
        var before = Snapshot();
        new Quarantine(Data).Move([(At("train/cat/1.png"), "broken")]);
        _folder.WriteText("data/train/cat/1.png", "another");
        new Quarantine(Data).Move([(At("train/cat/1.png"), "broken"), (At("train/cat/2.png"), "broken")]);

        var undo = new Quarantine(Data).Undo();

        Assert.Equal(["train/cat/1.png", "train/cat/2.png"], undo.Restored.Select(f => f.File));
        Assert.Equal([".quarantine/train/cat/1-2.png"], undo.Blocked.Select(f => f.Quarantined));
        File.Delete(At("train/cat/1.png"));
        Assert.Single(new Quarantine(Data).Undo().Restored);
        File.WriteAllText(At("train/cat/1.png"), "train/cat/1.png");
        Assert.Equal(before, Snapshot());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_stop_between_two_moves_loses_nothing(int moves)
    {
        var before = Snapshot();
        var done = 0;
        var files = new[] { "train/cat/1.png", "train/cat/2.png", "train/dog/3.png" }.Select(f => (At(f), "broken")).ToList();
        void Move(string from, string to) => Stop(ref done, moves, from, to);

        Assert.Throws<IOException>(() => new Quarantine(Data, Move).Move(files));
        done = 0;
        if (moves > 0)
        {
            Assert.Throws<IOException>(() => new Quarantine(Data, (from, to) => Stop(ref done, moves - 1, from, to)).Undo());
        }

        var undo = new Quarantine(Data).Undo();

        Assert.Empty(undo.Lost);
        Assert.Equal(before, Snapshot());
    }

    [Fact]
    public void A_stopped_move_can_be_repeated_instead_of_undone()
    {
        var before = Snapshot();
        var done = 0;
        Assert.Throws<IOException>(() => new Quarantine(Data, (from, to) => Stop(ref done, 1, from, to)).Move([(At("train/cat/1.png"), "broken"), (At("train/cat/2.png"), "broken")]));

        new Quarantine(Data).Move([(At("train/cat/2.png"), "broken")]);
        var undo = new Quarantine(Data).Undo();

        Assert.Equal((2, 0, 0), (undo.Restored.Count, undo.Blocked.Count, undo.Lost.Count));
        Assert.Equal(before, Snapshot());
    }

    [Fact]
    public void A_file_that_somebody_took_out_of_quarantine_is_named()
    {
        new Quarantine(Data).Move([(At("train/cat/1.png"), "broken")]);
        File.Delete(_folder["data", ".quarantine", "train", "cat", "1.png"]);

        var undo = new Quarantine(Data).Undo();

        Assert.Equal("train/cat/1.png", Assert.Single(undo.Lost).File);
        Assert.Empty(new Quarantine(Data).Undo().Lost);
    }

    [Fact]
    public void Pictures_that_are_no_files_of_the_dataset_are_refused_before_anything_is_moved()
    {
        var outside = _folder.WriteText("else.png", "x");

        var error = Assert.Throws<DatasetException>(() => new Quarantine(Data).Move([(At("train/cat/1.png"), "broken"), (outside, "broken")]));

        Assert.Equal($"'{outside}' is not a file of its own below '{Data}'. Only pictures in files of their own can be moved into quarantine, not those inside Parquet files and archives.", error.Message);
        Assert.Equal(["test/cat/4.png", "train/cat/1.png", "train/cat/2.png", "train/dog/3.png"], Pictures.Tree(Data));
    }

    [Fact]
    public void Pictures_that_a_metadata_file_names_are_refused()
    {
        var metadata = _folder.WriteText("data/train/metadata.csv", "file_name,text\ncat/1.png,a\n");

        var error = Assert.Throws<DatasetException>(() => new Quarantine(Data).Move([(At("train/cat/1.png"), "broken")]));

        Assert.Equal($"'{metadata}' names the pictures of its folder, and moving one would leave a row without a picture. Remove the rows and pictures by hand; the report in JSON lists them.", error.Message);
    }

    [Theory]
    [InlineData("""{"file": "../../secret", "quarantined": ".quarantine/a", "reason": ""}""", "'../../secret' lies outside of the dataset.")]
    [InlineData("""{"file": "a"}""", "A line has no 'quarantined'.")]
    public void A_journal_that_was_tampered_with_moves_nothing(string line, string problem)
    {
        var journal = _folder.WriteText("data/.quarantine/journal.jsonl", line + "\n");

        var error = Assert.Throws<DatasetException>(() => new Quarantine(Data).Undo());

        Assert.Equal($"'{journal}' is damaged: {problem} Move the files below '.quarantine' back by hand; their folders are named as they were.", error.Message);
    }

    [Fact]
    public void One_of_several_copies_stays_that_of_the_test_split_first()
    {
        FoundPicture[] pictures = [new("train", 0, "a", "cat"), new("validation", 0, "b", "cat"), new("test", 0, "c", "cat")];
        FoundPicture[] confused = [new("train", 1, "d", "cat"), new("train", 2, "e", "dog")];
        var report = new DatasetCheckReport([],
        [
            new(FindingKind.Truncated, true, "it is truncated", [pictures[2]]),
            new(FindingKind.Exact, true, "3 pictures", pictures),
            new(FindingKind.Exact, true, "2 pictures", confused),
            new(FindingKind.Tiny, false, "small", [pictures[1]]),
        ]);

        Assert.Equal(["a", "b"], QuarantinePlan.Choose(report, [FindingKind.Exact]).Select(c => c.Picture.Name));
        Assert.Equal(["c", "a"], QuarantinePlan.Choose(report, QuarantinePlan.DefaultKinds).Select(c => c.Picture.Name));
        Assert.Equal(["b"], QuarantinePlan.Choose(report, [FindingKind.Tiny]).Select(c => c.Picture.Name));
    }

    private static void Stop(ref int done, int after, string from, string to)
    {
        if (done++ == after)
        {
            throw new IOException("stopped");
        }

        File.Move(from, to);
    }

    private string At(string file) => Path.Combine(Data, file);

    private List<string> Snapshot() => [.. Pictures.Tree(Data).Select(f => $"{f}: {File.ReadAllText(At(f))}")];
}
