using System.Text.Json.Nodes;
using Vizsla.Imaging;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

/// <summary>Labels, map and search on flat colors, which even a network with random weights tells apart.</summary>
public sealed class DatasetLabelsTests : IDisposable
{
    private static readonly (string Name, byte[] Color)[] s_classes = [("red", [230, 20, 20]), ("green", [20, 230, 20]), ("blue", [20, 20, 230])];
    private const int Each = 8;

    private readonly TemporaryFolder _folder = new();

    public DatasetLabelsTests()
    {
        foreach (var (name, color) in s_classes)
        {
            for (var i = 0; i < Each; i++)
            {
                Paint(_folder[$"data/{name}/{name}{i}.png"], color, i);
            }
        }

        // A red one among the blue.
        Paint(_folder["data/blue/odd.png"], s_classes[0].Color, 20);
        using var classifier = ImageClassifier.Create("vit-nano", ["a", "b"], imageSize: 32, seed: 1);
        classifier.Save(_folder["model"]);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_wrong_label_is_listed_with_the_class_it_looks_like()
    {
        var (status, output, error) = await RunAsync("labels", "--format", "json", "--threshold", "0.2", "--output", _folder["sheet.png"]);

        Assert.Equal(0, status);
        var issue = Assert.Single(JsonNode.Parse(output)!["label_issues"]!.AsArray())!;
        Assert.Equal(("blue/odd.png", "train", "blue", "red"), ((string?)issue["file_name"], (string?)issue["split"], (string?)issue["label"], (string?)issue["suggested"]));
        Assert.EndsWith($"Drew 1 of 1 label on '{_folder["sheet.png"]}'.\n", error, StringComparison.Ordinal);
        using var sheet = ImageCodec.Load(_folder["sheet.png"]);
        Assert.True(sheet.Width > 176);
    }

    [Fact]
    public async Task The_listed_labels_are_a_table_for_other_programs()
    {
        var (status, output, _) = await RunAsync("labels", "--format", "csv", "--threshold", "0.2");

        Assert.Equal(0, status);
        var lines = output.TrimEnd().Split('\n');
        Assert.Equal(("file_name,split,label,suggested,score", 2), (lines[0], lines.Length));
        Assert.StartsWith("blue/odd.png,train,blue,red,0.", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_class_with_one_picture_is_named()
    {
        Paint(_folder["data/lonely/only.png"], [128, 128, 128], 0);

        var (status, _, error) = await RunAsync("labels");

        Assert.Equal(2, status);
        Assert.EndsWith($"A review needs two pictures at least of each class; 'lonely' of '{_folder["data"]}' has one. Add pictures, or remove the class.\n", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("labels", "--folds", "1", "--folds takes 2 or more, got 1.\n")]
    [InlineData("labels", "--threshold", "1.5", "--threshold takes a probability, 0 to 1, got 1.5.\n")]
    [InlineData("map", "--output", "map.txt", "--output takes a path that ends in .png or .csv, got 'map.txt'.\n")]
    [InlineData("search", "--like", "none.jpg", "--like: there is no file 'none.jpg'.\n")]
    public async Task A_wrong_value_is_refused_before_pictures_are_read(string verb, string flag, string value, string sentence)
    {
        var (status, _, error) = await RunAsync(verb, flag, value);

        Assert.Equal((2, sentence), (status, error));
    }

    [Fact]
    public async Task A_map_places_every_picture()
    {
        var (table, _, _) = await RunAsync("map", "--output", _folder["map.csv"]);
        var (drawing, _, _) = await RunAsync("map", "--output", _folder["map.png"], "--size", "256");

        Assert.Equal((0, 0), (table, drawing));
        var lines = File.ReadAllLines(_folder["map.csv"]);
        Assert.Equal(("file_name,split,label,x,y", 1 + (3 * Each) + 1), (lines[0], lines.Length));
        Assert.Contains(lines, line => line.StartsWith("blue/odd.png,train,blue,", StringComparison.Ordinal));
        using var map = ImageCodec.Load(_folder["map.png"]);
        Assert.Equal((256, 256), (map.Width, map.Height));
    }

    [Fact]
    public async Task The_pictures_most_like_a_photo_are_found()
    {
        Paint(_folder["photo.png"], s_classes[1].Color, 3);

        var (status, output, _) = await RunAsync("search", "--like", _folder["photo.png"], "--top", "4", "--format", "json", "--output", _folder["found.png"]);

        Assert.Equal(0, status);
        var found = JsonNode.Parse(output)!.AsArray();
        Assert.Equal(4, found.Count);
        Assert.All(found, f => Assert.Equal("green", (string?)f!["label"]));
        Assert.Equal("green/green3.png", (string?)found[0]!["file_name"]);
        Assert.True(File.Exists(_folder["found.png"]));
    }

    private async Task<(int Status, string Output, string Error)> RunAsync(string verb, params string[] more)
    {
        using var run = new ConsoleRun();
        string[] required = verb == "map" && !more.Contains("--output") ? ["--output", _folder["map.png"]] : [];
        var status = await CommandLine.RunAsync(["dataset", verb, "--dataset", _folder["data"], "--model", _folder["model"], .. required, .. more], run.Console);
        return (status, run.OutText, run.ErrorText);
    }

    private static void Paint(string path, byte[] color, int shade)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var picture = new Image(48, 48);
        var pixels = picture.Pixels;
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (byte)Math.Clamp(color[i % 3] + (shade * (i / 3 % 5)) - shade, 0, 255);
        }

        ImageCodec.SavePng(picture, path);
    }
}
