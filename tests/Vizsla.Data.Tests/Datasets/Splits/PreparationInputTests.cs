using Vizsla.Datasets;
using Vizsla.Datasets.Splits;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Splits;

/// <summary>Everything that can be wrong with the input of a preparation: one clear message, nothing written.</summary>
public sealed class PreparationInputTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Missing_pictures_are_listed_all()
    {
        Labels("0,cat\n1,cat\nx,dog\n2,dog\ny.png,dog\n");

        AssertFails($"2 rows have no picture in '{_folder["photos"]}'. Add the pictures, or leave the rows out (missing skip):\n  x\n  y.png");
    }

    [Fact]
    public void Missing_pictures_are_left_out_when_asked()
    {
        Labels("0,cat\n1,cat\nx,dog\n2,dog\ny.png,dog\n3,dog\n");

        var result = DatasetPreparation.Run(Options with { Missing = BadRows.Skip, TestSize = 2, ValidationSize = null });

        Assert.Equal(["x", "y.png"], result.MissingSkipped);
        Assert.Equal(4, result.Count("train") + result.Count("test"));
    }

    [Fact]
    public void Unreadable_pictures_come_before_other_complaints()
    {
        Labels("0,cat\n1,cat\nx,dog\ncut,dog\ntext,\n");
        _folder.WriteText("photos/text.jpg", "not a picture");
        var whole = File.ReadAllBytes(_folder["photos", "0.png"]);
        File.WriteAllBytes(_folder["photos", "cut.png"], whole[..(whole.Length * 6 / 10)]);

        var error = Assert.Throws<DatasetException>(() => DatasetPreparation.Run(Options));

        var lines = error.Message.Split('\n');
        Assert.Equal("1 picture cannot be read whole. Replace or remove them, or leave them out (bad_images skip):", lines[0]);
        Assert.StartsWith($"  {_folder["photos", "cut.png"]}: ", lines[1], StringComparison.Ordinal);
        Assert.Equal($"1 row has no picture in '{_folder["photos"]}'. Add the pictures, or leave the rows out (missing skip):", lines[2]);
        Assert.False(Directory.Exists(Options.Output));
    }

    [Fact]
    public void Unreadable_pictures_are_left_out_when_asked()
    {
        Labels("0,cat\n1,cat\n2,dog\n3,dog\ntext,dog\n");
        _folder.WriteText("photos/text.jpg", "not a picture");

        var result = DatasetPreparation.Run(Options with { BadImages = BadRows.Skip, TestSize = 2, ValidationSize = null });

        Assert.Equal(_folder["photos", "text.jpg"], Assert.Single(result.BadSkipped).Path);
        Assert.Equal(4, result.Count("train") + result.Count("test"));
    }

    [Fact]
    public void Ids_that_are_there_twice_are_listed()
    {
        Labels("0,cat\n1,cat\n0,dog\n1.png,dog\n");

        AssertFails("2 ids are there twice. Keep one row each:\n  line 4: '0' is also on line 2\n  line 5: '1.png' is also on line 3");
    }

    [Theory]
    [InlineData("0,cat\n1,\n", "1 name cannot be used in an image folder. Rename:\n  line 3: the label '' of id '1': it is empty")]
    [InlineData("0,cat\n1,  \n", "1 name cannot be used in an image folder. Rename:\n  line 3: the label '' of id '1': it is empty")]
    [InlineData("0,cat\n../1,dog\n", "1 name cannot be used in an image folder. Rename:\n  line 3: the id '../1': it does not lie below the picture folder")]
    [InlineData("0,cat\n1,a/b\n", "1 name cannot be used in an image folder. Rename:\n  line 3: the label 'a/b' of id '1': it holds a path separator")]
    [InlineData("0,cat\n1,a\\b\n", "1 name cannot be used in an image folder. Rename:\n  line 3: the label 'a\\b' of id '1': it holds a path separator")]
    [InlineData("0,..\n1,dog\n", "1 name cannot be used in an image folder. Rename:\n  line 2: the label '..' of id '0': it names a folder above")]
    [InlineData("0,.cat\n1,dog\n", "1 name cannot be used in an image folder. Rename:\n  line 2: the label '.cat' of id '0': image folders ignore names that start with '.'")]
    [InlineData("0,__cat\n1,dog\n", "1 name cannot be used in an image folder. Rename:\n  line 2: the label '__cat' of id '0': image folders ignore folders whose name starts with '__'")]
    [InlineData("0,crash test\n1,dog\n", "1 name cannot be used in an image folder. Rename:\n  line 2: the label 'crash test' of id '0': image folders read 'test' in a folder's name as the name of a split")]
    public void Names_that_cannot_be_folders_are_listed(string rows, string message)
    {
        Labels(rows);

        AssertFails(message);
    }

    [Fact]
    public void An_id_that_fits_two_pictures_is_refused()
    {
        Labels("0,cat\n1,dog\n");
        File.Copy(_folder["photos", "0.png"], _folder["photos", "0.jpg"]);

        AssertFails("1 id fits several pictures. Write the extension too:\n  line 2: '0' may be '0.jpg' or '0.png'");
    }

    [Fact]
    public void Classes_too_small_to_stratify_are_listed_with_what_they_need()
    {
        Labels("0,cat\n1,cat\n2,cat\n3,dog\n");

        AssertFails("Cannot stratify the test split: 1 class has fewer than 2 of its 4 pictures, and each needs at least 2. Add pictures, or split without regard to classes (stratify false).\n  'dog' has 1");
    }

    [Fact]
    public void A_split_smaller_than_the_number_of_classes_is_refused()
    {
        Labels("0,a\n1,a\n2,b\n3,b\n4,c\n5,c\n");

        AssertFails("Cannot stratify: a test split of 0.2 is 2 pictures, fewer than the 3 classes, and each class needs one. Choose another test_size (at least 3 pictures), or split without regard to classes (stratify false).");
    }

    [Fact]
    public void Without_stratifying_a_single_picture_of_a_class_is_enough()
    {
        Labels("0,a\n1,b\n2,c\n3,d\n4,e\n5,f\n");

        var result = DatasetPreparation.Run(Options with { Stratify = false });

        Assert.Equal((3, 1, 2), (result.Count("train"), result.Count("validation"), result.Count("test")));
    }

    [Theory]
    [InlineData("id,label\n0,cat\n", "The label file '{0}' has no column 'breed'. Columns: id, label. Name the column with --label_column.")]
    [InlineData("id,bred\n0,cat\n", "The label file '{0}' has no column 'breed'. Columns: id, bred. Did you mean 'bred'? Name the column with --label_column.")]
    [InlineData("id,breed\n", "The label file '{0}' has a header but no rows.")]
    [InlineData("", "The label file '{0}' is empty; expected the header 'id,breed' and rows.")]
    public void A_label_file_that_is_none_is_refused(string text, string message)
    {
        _folder.Draw("photos/0.png");
        var path = _folder.WriteText("photos/labels.csv", text);

        AssertFails(string.Format(System.Globalization.CultureInfo.InvariantCulture, message, path));
    }

    [Fact]
    public void A_label_file_in_another_encoding_is_refused()
    {
        _folder.Draw("photos/0.png");
        var path = _folder.Reserve("photos/labels.csv");
        File.WriteAllBytes(path, [.. "id,breed\n0,"u8, 0xC9, .. "pagneul\n"u8]);

        AssertFails($"The label file '{path}' is not UTF-8 text. Save it as UTF-8.");
    }

    [Fact]
    public void Quotes_semicolons_and_a_byte_order_mark_are_understood()
    {
        _folder.Draw("photos/0.png", "photos/1.png");
        _folder.WriteText("photos/labels.csv", "\uFEFFbreed;id\r\n\"a; b\";0\r\n\"say \"\"hi\"\"\";1\r\n");

        var result = DatasetPreparation.Run(Options with { TestSize = null, ValidationSize = null });

        Assert.Equal(["a; b", "say \"hi\""], result.Manifest.Splits["train"].Select(f => f.Label));
    }

    [Fact]
    public void Loose_pictures_without_a_label_file_are_refused()
    {
        _folder.Draw("photos/0.png", "photos/cat/1.png");

        AssertFails($"1 picture lies directly in '{_folder["photos"]}' (first '0.png') and no label file was given. Put each class into a folder of its own, or give a file of labels (labels).");
    }

    [Fact]
    public void A_folder_that_is_split_already_is_refused()
    {
        _folder.Draw("photos/train/cat/0.png", "photos/test/cat/1.png");

        AssertFails($"'{_folder["photos"]}' is split already (test, train); train on it as it is.");
    }

    [Fact]
    public void An_unknown_split_or_a_file_outside_is_refused()
    {
        _folder.Draw("photos/0.png", "photos/1.png", "x.png");
        var splits = _folder.WriteText("split.csv", "file,split,label\n0.png,trian,cat\n../x.png,test,dog\n1.png,test,dog\n");

        var error = Assert.Throws<DatasetException>(() => DatasetPreparation.Run(Options with { SplitFile = splits }));

        Assert.Equal(
            "1 name cannot be used in an image folder. Rename:\n  line 3: the file '../x.png': it does not lie below the picture folder\n"
            + "1 row names an unknown split. Known: train, validation, test.\n  line 2: 'trian' Did you mean 'train'?",
            error.Message);
    }

    [Fact]
    public void A_missing_folder_is_named()
    {
        AssertFails($"The picture folder '{_folder["photos"]}' does not exist.");
    }

    private PreparationOptions Options => new() { Images = _folder["photos"], Output = _folder["out"] };

    private void Labels(string rows)
    {
        _folder.Draw(Enumerable.Range(0, 6).Select(i => $"photos/{i}.png"));
        _folder.WriteText("photos/labels.csv", "id,breed\n" + rows);
    }

    private void AssertFails(string message)
    {
        var before = Pictures.Tree(_folder.Path).ToList();

        var error = Assert.Throws<DatasetException>(() => DatasetPreparation.Run(Options));

        Assert.Equal(message, error.Message);
        Assert.Equal(before, Pictures.Tree(_folder.Path));
        Assert.False(Directory.Exists(Options.Output));
    }
}
