using Vizsla.Datasets;
using Vizsla.Datasets.Splits;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Splits;

/// <summary>Label files as people write them: paths, blanks, forms of Unicode, missing values.</summary>
public sealed class PreparationNamesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public PreparationNamesTests() => _folder.Draw("photos/n01/x.JPEG", "photos/n01/y.jpg", "photos/n02/x.JPEG", "photos/n02/z.png", "photos/007.jpg", "photos/caf\u00e9.jpg");

    private PreparationOptions Options => new() { Images = _folder["photos"], Labels = _folder["labels.csv"], Output = _folder["out"], TestSize = null, ValidationSize = null };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Paths_below_the_folder_are_taken_with_either_slash_and_absolute()
    {
        _folder.WriteText("labels.csv", $"id,breed\nn01/x.JPEG,cat\nn02\\x.JPEG,cat\n{_folder["photos"]}/n01/y.jpg,dog\n./n02/z,dog\n");

        var result = DatasetPreparation.Run(Options);

        Assert.Equal(["train/cat/x-2.JPEG", "train/cat/x.JPEG", "train/dog/y.jpg", "train/dog/z.png"], Pictures.Tree(_folder["out"]).Where(f => f != "split.json"));
        Assert.Equal(2, result.UnlabeledCount);
    }

    [Theory]
    [InlineData("../other/1.jpg")]
    [InlineData("n01/../../other/1.jpg")]
    [InlineData("/etc/1.jpg")]
    [InlineData("C:\\photos\\1.jpg")]
    public void A_path_that_leaves_the_folder_is_refused(string path)
    {
        _folder.WriteText("labels.csv", $"id,breed\n{path},cat\nn01/x.JPEG,dog\n");

        var error = Assert.Throws<DatasetException>(() => DatasetPreparation.Run(Options));

        Assert.Equal($"1 name cannot be used in an image folder. Rename:\n  line 2: the id '{path}': it does not lie below the picture folder", error.Message);
    }

    [Fact]
    public void Missing_rows_get_the_hint_that_helps_one_line_a_kind()
    {
        _folder.WriteText("labels.csv", "id,breed\n7,cat\nn01/x.png,cat\nn01/Y.jpg,dog\nz.png,dog\nn02/x.png,dog\nnothing,dog\n");

        var error = Assert.Throws<DatasetException>(() => DatasetPreparation.Run(Options));

        Assert.Equal(
            $"6 rows have no picture in '{_folder["photos"]}'. Add the pictures, or leave the rows out (missing skip):\n"
            + "  2 differ in the extension from a picture that is there: 'n01/x.png' may be 'n01/x.JPEG'\n"
            + "  1 differs in leading zeros from a picture that is there: '7' may be '007.jpg'\n"
            + "  1 differs in the folder from a picture that is there: 'z.png' may be 'n02/z.png'\n"
            + "  1 differs in upper and lower case from a picture that is there: 'n01/Y.jpg' may be 'n01/y.jpg'\n"
            + "  nothing",
            error.Message);
    }

    [Fact]
    public void Blanks_go_forms_meet_and_missing_values_are_said()
    {
        _folder.WriteText("labels.csv", "id , breed \nn01/x.JPEG,cat\nn01/y.jpg,cat \nn02/x.JPEG, nan\ncafe\u0301,caf\u00e9\nn02/z.png,cafe\u0301\n");

        var result = DatasetPreparation.Run(Options);

        Assert.Equal(["caf\u00e9", "cat", "nan"], result.Manifest.Counts["train"].Keys.Order(StringComparer.Ordinal));
        Assert.Equal(
            [
                "Blanks around labels or ids were removed in 2 places.",
                "1 class is written in several Unicode forms, which were taken as one: 'caf\u00e9'.",
                "The label 'nan' of 1 photo looks like a missing value and became a class; leave those rows out if it is one.",
            ],
            result.Notes);
    }

    [Fact]
    public void Class_folders_with_blanks_are_classes_without()
    {
        _folder.Draw("pets/ cat/1.jpg", "pets/cat/2.jpg", "pets/dog/3.jpg", "pets/dog/4.tiff_large");
        Directory.CreateDirectory(_folder["pets", "bird"]);

        var result = DatasetPreparation.Run(new() { Images = _folder["pets"], Output = _folder["out"], TestSize = null, ValidationSize = null });

        Assert.Equal(["cat", "dog"], result.Manifest.Counts["train"].Keys);
        Assert.Equal(["Blanks around labels or ids were removed in 1 place."], result.Notes);
        Assert.Equal(
            ["1 photo has an extension that image folders do not take (rename it to .jpg or what it is): 'dog/4.tiff_large'", "1 folder holds no photo: 'bird'"],
            result.LeftOut.Select(l => l.Sentence));
    }
}
