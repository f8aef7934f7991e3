using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

/// <summary>Every verb reads a folder by one rule, and says what it leaves out.</summary>
public sealed class DatasetRuleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public DatasetRuleTests()
    {
        foreach (var (i, path) in new[] { "cat/1.JPEG", "cat/2.JPEG", "dog/1.Jpg", "dog/2.Jpg", "dog/3.jpg_large" }.Index())
        {
            using var image = AnimalPainter.Paint(AnimalPainter.Classes[i], 64, new Rng((ulong)i));
            ImageCodec.SavePng(image, _folder.Reserve($"photos/{path}"));
        }

        foreach (var name in new[] { "cat/1", "cat/2", "dog/1" })
        {
            _folder.WriteText($"photos/{name}.txt", "about the photo");
        }
    }

    private string LeftOut =>
        $"Left out of '{_folder["photos"]}': 1 photo has an extension that image folders do not take (rename it to .jpg or what it is): 'dog/3.jpg_large'.\n";

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("info", "train: 4\ncolumns: image, label\nclasses: 2 (cat, dog)\n")]
    [InlineData("check", null)]
    [InlineData("stats", null)]
    [InlineData("show", "Drew 4 pictures on ")]
    public async Task Verbs_see_the_same_photos_and_say_what_is_left_out(string verb, string? output)
    {
        using var run = new ConsoleRun();

        string[] sheet = verb == "show" ? ["--output", _folder["sheet.png"]] : [];
        var code = await CommandLine.RunAsync(["dataset", verb, "--dataset", _folder["photos"], .. sheet], run.Console);

        Assert.Equal(0, code);
        Assert.StartsWith(LeftOut, run.ErrorText, StringComparison.Ordinal);
        Assert.StartsWith(output ?? "", run.OutText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_warns_of_what_is_left_out()
    {
        using var run = new ConsoleRun();

        await CommandLine.RunAsync(["dataset", "check", "--dataset", _folder["photos"], "--format", "json"], run.Console);

        Assert.Contains("\"kind\": \"leftout\"", run.OutText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pythons_other_reading_is_an_option()
    {
        File.Delete(_folder["photos", "dog", "1.txt"]);
        File.Delete(_folder["photos", "cat", "1.txt"]);
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["dataset", "info", "--dataset", _folder["photos"], "--loader", "load_dataset"], run.Console);

        Assert.Equal(0, code);
        Assert.StartsWith("train: 2\n", run.OutText, StringComparison.Ordinal);
        Assert.Contains("'dog/1.Jpg'", run.ErrorText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prepare_says_what_it_leaves_out()
    {
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["prepare", "--images", _folder["photos"], "--output", _folder["out"], "--test_size", "0", "--validation_size", "0"], run.Console);

        Assert.Equal(0, code);
        Assert.Contains("Left out: 1 photo has an extension that image folders do not take (rename it to .jpg or what it is): 'dog/3.jpg_large'.\n", run.ErrorText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parquet_without_a_picture_column_names_the_option()
    {
        ImageDatasetBuilder.From(Enumerable.Range(0, 2)).With("file", i => $"{i}.jpg").With("breed", i => $"b{i}").Build().ToParquet(_folder.Reserve("rows/train.parquet"));
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["dataset", "info", "--dataset", _folder["rows"]], run.Console);
        using var named = new ConsoleRun();
        var again = await CommandLine.RunAsync(["dataset", "info", "--dataset", _folder["rows"], "--image_column", "file", "--label_column", "breed"], named.Console);

        Assert.Equal((1, 0), (code, again));
        Assert.Equal($"'{_folder["rows"]}' has no column of pictures. Columns: file, breed. Name it with --image_column.\n", run.ErrorText);
        Assert.Equal("train: 2\ncolumns: file, breed\nclasses: 2 (b0, b1)\n", named.OutText);
    }

    [Theory]
    [InlineData("file_name,weight\n1.JPEG,3\n2.JPEG,5\n", "'{0}' has no column of classes. Columns: image, weight. Name the one that holds the labels with --label_column.\n")]
    [InlineData(null, "'{0}' has no class folders, so its photos have no labels. Expected '{0}/<split>/<class>/<photo>'; 'vizsla prepare --images {0} --labels CSV --output NAME' makes that of a flat folder.\n")]
    public async Task Training_without_labels_says_how_to_get_them(string? metadata, string message)
    {
        var flat = _folder["photos", "cat"];
        foreach (var text in Directory.EnumerateFiles(flat, "*.txt"))
        {
            File.Delete(text);
        }

        if (metadata is not null)
        {
            File.WriteAllText(Path.Combine(flat, "metadata.csv"), metadata);
        }

        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["train", "--dataset", flat, "--model", "vit-nano", "--from_scratch", "--output", _folder["run"]], run.Console);

        Assert.Equal(1, code);
        Assert.Equal(string.Format(System.Globalization.CultureInfo.InvariantCulture, message, flat), run.ErrorText);
        Assert.False(Directory.Exists(_folder["run"]));
    }

    [Theory]
    [InlineData("photos", null, "All pictures of '{0}' are of the class 'cat'; a classifier needs at least two. Put the pictures of each class into a folder of its own.\n")]
    [InlineData("photos/cat", "file_name,breed\n1.JPEG,vizsla\n2.JPEG,vizsla\n", "All pictures of '{0}' are of the class 'vizsla'; a classifier needs at least two.\n", "--label_column", "breed")]
    public async Task Pictures_of_one_class_are_refused(string folder, string? metadata, string message, params string[] more)
    {
        Directory.Delete(_folder["photos", "dog"], recursive: true);
        foreach (var text in Directory.EnumerateFiles(_folder["photos", "cat"], "*.txt"))
        {
            File.Delete(text);
        }

        if (metadata is not null)
        {
            _folder.WriteText($"{folder}/metadata.csv", metadata);
        }

        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["train", "--dataset", _folder[folder], "--model", "vit-nano", "--from_scratch", "--output", _folder["run"], .. more], run.Console);

        Assert.Equal(1, code);
        Assert.Equal(string.Format(System.Globalization.CultureInfo.InvariantCulture, message, _folder[folder]), run.ErrorText);
    }

    [Theory]
    [InlineData("The column 'labels' of '{0}' holds several labels in each row, and a picture has one class here: training on several labels a picture is not supported. Name a column with one label a row with --label_column.\n")]
    [InlineData("The column 'labels' holds several labels in each row, and a picture has one class here: training on several labels a picture is not supported. Give the name of a column with one label a row.\n", "--label_column", "labels")]
    public async Task Several_labels_a_picture_are_refused(string message, params string[] more)
    {
        _folder.WriteText("photos/cat/metadata.jsonl", "{\"file_name\": \"1.JPEG\", \"labels\": [0, 1]}\n{\"file_name\": \"2.JPEG\", \"labels\": [1]}\n");
        foreach (var text in Directory.EnumerateFiles(_folder["photos", "cat"], "*.txt"))
        {
            File.Delete(text);
        }

        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["train", "--dataset", _folder["photos", "cat"], "--model", "vit-nano", "--from_scratch", "--output", _folder["run"], .. more], run.Console);

        Assert.Equal(1, code);
        Assert.Equal(string.Format(System.Globalization.CultureInfo.InvariantCulture, message, _folder["photos", "cat"]), run.ErrorText);
    }

    [Fact]
    public async Task HEIC_photos_are_photos()
    {
        File.Copy(Golden.RequireCases("heif", "photo-420.heic"), _folder.Reserve("heic/cat/IMG_1.HEIC"));
        File.Copy(Golden.RequireCases("heif", "gray.avif"), _folder.Reserve("heic/dog/IMG_2.avif"));
        using var run = new ConsoleRun();

        var code = await CommandLine.RunAsync(["dataset", "check", "--dataset", _folder["heic"]], run.Console);

        Assert.Equal(0, code);
        Assert.Contains("Checked 2 pictures (train 2): 0 errors", run.OutText, StringComparison.Ordinal);
    }
}
