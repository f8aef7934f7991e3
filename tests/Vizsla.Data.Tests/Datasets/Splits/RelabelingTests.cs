using Vizsla.Datasets;
using Vizsla.Datasets.Splits;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Splits;

public sealed class RelabelingTests : IDisposable
{
    private static readonly string[] s_files = ["train/cat/1.png", "train/cat/2.png", "train/dog/2.png", "test/cat/4.png", "test/dog/5.png"];

    private readonly TemporaryFolder _folder = new();

    public RelabelingTests()
    {
        foreach (var file in s_files)
        {
            _folder.WriteText($"data/{file}", file);
        }

        SplitFileEntry Entry(string file) => new(file, file, file.Split('/')[1], "00");
        new SplitManifest(13, true, null, null, new Dictionary<string, IReadOnlyList<SplitFileEntry>>
        {
            ["train"] = [.. s_files.Where(f => f.StartsWith("train/", StringComparison.Ordinal)).Select(Entry)],
            ["test"] = [.. s_files.Where(f => f.StartsWith("test/", StringComparison.Ordinal)).Select(Entry)],
        }).Write(Data);
    }

    private string Data => _folder["data"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_picture_moves_to_its_new_class_within_its_split_and_comes_back()
    {
        var before = Snapshot();

        var moved = new Relabeling(Data).Apply([new("train/cat/2.png", "dog", "cat"), new("test/dog/5.png", "cat"), new("train/cat/1.png", "cat")]);

        Assert.Equal([new("train/cat/2.png", "train/dog/2-2.png", "cat", "dog"), new("test/dog/5.png", "test/cat/5.png", "dog", "cat")], moved);
        Assert.Equal("train/cat/2.png", File.ReadAllText(Path.Combine(Data, "train/dog/2-2.png")));
        var manifest = SplitManifest.Read(Data)!;
        Assert.Equal(["train/cat/1.png cat", "train/dog/2-2.png dog", "train/dog/2.png dog"], manifest.Splits["train"].Select(e => $"{e.File} {e.Label}"));
        Assert.Equal(["test/cat/4.png cat", "test/cat/5.png cat"], manifest.Splits["test"].Select(e => $"{e.File} {e.Label}"));

        Assert.Equal(moved.Reverse(), new Relabeling(Data).Undo());
        Assert.Equal(before, Snapshot());
    }

    [Fact]
    public void Changes_made_one_after_another_are_undone_together()
    {
        var before = Snapshot();
        new Relabeling(Data).Apply([new("train/cat/1.png", "dog")]);
        new Relabeling(Data).Apply([new("train/dog/1.png", "cat"), new("train/dog/2.png", "cat")]);

        new Relabeling(Data).Undo();

        Assert.Equal(before, Snapshot());
        Assert.Empty(new Relabeling(Data).Undo());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_stop_between_two_moves_loses_nothing(int moves)
    {
        var before = Snapshot();
        void Move(string from, string to)
        {
            if (moves-- == 0)
            {
                throw new IOException("stopped");
            }

            File.Move(from, to);
        }

        Assert.Throws<IOException>(() => new Relabeling(Data, Move).Apply([new("train/cat/1.png", "dog"), new("train/cat/2.png", "dog")]));
        new Relabeling(Data).Undo();

        Assert.Equal(before, Snapshot());
    }

    [Fact]
    public void What_cannot_be_meant_is_refused_and_nothing_moves()
    {
        var before = Snapshot();

        Refused("'train/cat/9.png' is not a picture below '{0}'. Expected a path such as 'train/cat/1.jpg'.", new LabelChange("train/cat/9.png", "dog"));
        Refused("'../cat/1.png' is not a picture below '{0}'. Expected a path such as 'train/cat/1.jpg'.", new LabelChange("../cat/1.png", "dog"));
        Refused("'dgo' is not a class of '{0}'; 'train/cat/1.png' cannot get it. Did you mean 'dog'?", new LabelChange("train/cat/1.png", "dgo"));
        Refused("'train/cat/1.png' has the label 'cat' and not 'dog' as expected; list the labels anew.", new LabelChange("train/cat/1.png", "cat", "dog"));
        Refused("'train/cat/1.png' gets a label twice; keep one line of it.", new LabelChange("train/cat/1.png", "dog"), new LabelChange("train/cat/1.png", "dog"));

        Assert.Equal(before, Snapshot());
        _folder.WriteText("data/train/metadata.csv", "file_name,label\n");
        Refused("'{0}/train/metadata.csv' holds the labels of its pictures; change them there. Only labels that class folders give are changed by moving files.", new LabelChange("train/cat/1.png", "dog"));
    }

    [Fact]
    public void Changes_are_read_from_the_table_of_the_review_or_a_plain_one()
    {
        var review = _folder.WriteText("review.csv", "file_name,split,label,suggested,score\ntrain/cat/1.png,train,cat,dog,0.01\n");
        var plain = _folder.WriteText("plain.csv", "file_name,label\ntrain/cat/1.png,dog\n");
        var wrong = _folder.WriteText("wrong.csv", "file,label\na,b\n");

        Assert.Equal([new("train/cat/1.png", "dog", "cat")], Relabeling.ReadChanges(review));
        Assert.Equal([new("train/cat/1.png", "dog")], Relabeling.ReadChanges(plain));
        Assert.Equal($"'{wrong}' needs the columns file_name and suggested, or file_name and label; it has file, label.", Assert.Throws<DatasetException>(() => Relabeling.ReadChanges(wrong)).Message);
        Assert.Equal("There is no file 'none.csv' with labels to change.", Assert.Throws<DatasetException>(() => Relabeling.ReadChanges("none.csv")).Message);
    }

    private void Refused(string sentence, params LabelChange[] changes) =>
        Assert.Equal(string.Format(null, sentence, Data), Assert.Throws<DatasetException>(() => new Relabeling(Data).Apply(changes)).Message);

    private List<string> Snapshot() => [.. Directory.EnumerateFiles(Data, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(f => $"{f}: {File.ReadAllText(f)}")];
}
