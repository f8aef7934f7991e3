using Vizsla.Datasets;
using Vizsla.Datasets.Checks;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Readers;

/// <summary>One rule for every verb, and nothing vanishes: what a rule leaves out is counted by reason.</summary>
public sealed class FolderRuleTests : IDisposable
{
    private static readonly DatasetLoadOptions s_verbs = new() { Rule = FolderRule.ImageFolder };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Spelling_of_an_extension_makes_two_datasets_by_one_rule_and_one_by_the_other()
    {
        _folder.Draw("photos/cat/1.JPEG", "photos/cat/2.JPEG", "photos/dog/1.Jpg", "photos/dog/2.Jpg");

        var verbs = DatasetDict.Load(_folder["photos"], s_verbs);
        var python = DatasetDict.Load(_folder["photos"]);

        Assert.Equal((4, 2), (verbs["train"].Count, verbs["train"].ClassNames.Count));
        Assert.Empty(verbs.LeftOut);
        Assert.Equal(2, python["train"].Count);
        Assert.Equal("2 photos have extensions that image folders do not take (rename them to .jpg or what they are): 'dog/1.Jpg', 'dog/2.Jpg'", Assert.Single(python.LeftOut).Sentence);
    }

    [Theory]
    [InlineData(".txt")]
    [InlineData(".xml")]
    [InlineData(".json")]
    public void Files_beside_the_photos_change_nothing(string extension)
    {
        _folder.Draw("photos/cat/1.jpg", "photos/dog/2.jpg");
        foreach (var name in new[] { "cat/1", "dog/2", "notes" })
        {
            _folder.WriteText($"photos/{name}{extension}", "about the photo");
        }

        var splits = DatasetDict.Load(_folder["photos"], s_verbs);

        Assert.Equal(["cat", "dog"], splits["train"].ClassNames);
        Assert.Empty(splits.LeftOut);
    }

    [Fact]
    public void Photos_that_a_rule_leaves_out_are_counted_by_reason()
    {
        _folder.Draw("photos/train/cat/1.jpg", "photos/train/dog/2.jpg", "photos/train/cat/3.jpg_large", "photos/train/cat/4", "photos/extra/5.jpg", "photos/train/.hidden/6.jpg");
        File.WriteAllBytes(_folder.Reserve("photos/train/dog/7.heic"), [0, 0, 0, 24, .. "ftypheic"u8, 0, 0, 0, 0, .. "mif1heic"u8]);
        File.WriteAllBytes(_folder.Reserve("photos/train/dog/8.jp2"), [0, 0, 0, 12, .. "jP  \r\n\u0087\n"u8]);
        _folder.WriteText("photos/train/cat/notes", "no photo");
        Directory.CreateDirectory(_folder["photos", "train", "bird"]);
        _folder.WriteText("photos/train/bird/.DS_Store", "");
        _folder.WriteText("photos/notes/about.txt", "no class");
        Directory.CreateSymbolicLink(_folder["photos", "train", "linked"], _folder["photos", "train", "cat"]);
        File.CreateSymbolicLink(_folder["photos", "train", "cat", "gone.png"], _folder["nowhere.png"]);

        var dataset = DatasetDict.Load(_folder["photos"], s_verbs);

        Assert.Equal(
            [
                "1 photo has an extension that image folders do not take (rename it to .jpg or what it is): 'train/cat/3.jpg_large'",
                "1 photo has no extension: 'train/cat/4'",
                "1 photo is of a format that is not read here (convert it to JPEG or PNG): 'train/dog/7.heic'",
                "1 photo is hidden: a part of its path starts with '.' or '__': 'train/.hidden/6.jpg'",
                "1 photo lies outside the folders and names that stand for splits: 'extra/5.jpg'",
                "1 folder is a link and is not entered: 'train/linked'",
                "1 folder holds no photo: 'train/bird'",
            ],
            dataset.LeftOut.Select(l => l.Sentence));
        var findings = DatasetCheck.Run(dataset, new() { CacheFolder = _folder["cache"] }).Of(FindingKind.LeftOut);
        Assert.Equal(dataset.LeftOut.Select(l => l.Sentence), findings.Select(f => f.Message));
    }

    [Fact]
    public void A_metadata_file_that_lists_some_photos_leaves_the_others_out()
    {
        _folder.Draw("photos/1.jpg", "photos/2.jpg", "photos/3.jpg");
        _folder.WriteText("photos/metadata.csv", "file_name,kind\n1.jpg,cat\n2.jpg,dog\n");

        var dataset = DatasetDict.Load(_folder["photos"], s_verbs with { LabelColumn = "kind" });

        Assert.Equal(["cat", "dog"], dataset["train"].ClassNames);
        Assert.Equal("1 photo is named by no row of the metadata or Parquet files: '3.jpg'", Assert.Single(dataset.LeftOut).Sentence);
    }

    [Fact]
    public void Folders_that_differ_only_in_Unicode_form_are_one_class()
    {
        _folder.Draw("photos/train/caf\u00e9/1.jpg", "photos/train/tea/2.jpg", "photos/test/cafe\u0301/3.jpg", "photos/test/tea/4.jpg");

        var dataset = DatasetDict.Load(_folder["photos"], s_verbs);

        Assert.Equal(2, dataset["train"].ClassNames.Count);
        Assert.Equal(dataset["train"].Label(0), dataset["test"].Label(0));
    }

    [Fact]
    public void A_metadata_file_may_name_files_in_another_Unicode_form()
    {
        _folder.Draw("photos/caf\u00e9.jpg", "photos/tea.jpg");
        _folder.WriteText("photos/metadata.csv", "file_name,kind\ncafe\u0301.jpg,a\ntea.jpg,b\n");

        var dataset = DatasetDict.Load(_folder["photos"], s_verbs);

        dataset["train"].LoadImage(0).Dispose();
        Assert.Empty(dataset.LeftOut);
    }

    [Fact]
    public void A_zip_of_class_folders_is_refused_with_what_to_do()
    {
        _folder.Draw("in/cat/1.jpg", "in/dog/2.jpg");
        System.IO.Compression.ZipFile.CreateFromDirectory(_folder["in"], _folder.Reserve("photos/all.zip"));

        var error = Assert.Throws<DatasetException>(() => DatasetDict.Load(_folder["photos"], s_verbs));

        Assert.Equal($"'{_folder["photos", "all.zip"]}' holds class folders; the labels of pictures inside an archive cannot be read, in Python neither. Unpack it, and load the folder.", error.Message);
    }

    [Theory]
    [InlineData("cat", "Cat", FindingKind.Case, true)]
    [InlineData("cat", "cat ", FindingKind.Alike, true)]
    [InlineData("caf\u00e9", "Cafe\u0301", FindingKind.Alike, true)]
    [InlineData("golden retriever", "golden-retriever", FindingKind.Alike, false)]
    public void Classes_that_are_one_to_a_person_are_found(string one, string other, FindingKind kind, bool isError)
    {
        var label = new ClassLabel([one, other]);
        var rows = ImageDatasetBuilder.From(Enumerable.Range(0, 2)).With("image", i => new ImageSource($"{i}.jpg")).With("label", i => (long)i, label).Build();

        var findings = DatasetCheck.Run(new DatasetDict(KeyValuePair.Create("train", rows)), new() { CacheFolder = _folder["cache"] }).Findings;

        var found = Assert.Single(findings, f => f.Kind is FindingKind.Case or FindingKind.Alike);
        Assert.Equal((kind, isError), (found.Kind, found.IsError));
    }

    [Fact]
    public void A_class_that_reads_like_a_missing_value_is_found()
    {
        var rows = ImageDatasetBuilder.From(Enumerable.Range(0, 2)).With("image", i => new ImageSource($"{i}.jpg")).With("label", i => (long)i, new ClassLabel(["cat", "None"])).Build();

        var report = DatasetCheck.Run(new DatasetDict(KeyValuePair.Create("train", rows)), new() { CacheFolder = _folder["cache"] });

        Assert.Equal("a class 'None', which reads like a missing value, with 1 pictures", Assert.Single(report.Of(FindingKind.Missing)).Message);
    }
}
