using ParquetSharp;
using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Processes;

/// <summary>Scores of many pictures as a table in parts, in one process and in several, also after a kill.</summary>
[Collection(MpiJobs.Name)]
public sealed class ScoringTests : IDisposable
{
    // Two parts of a thousand, and some.
    private const int PictureCount = 1_030;
    private const string Broken = "0007.png";

    private static readonly IReadOnlyDictionary<string, string> s_plain = new Dictionary<string, string>();
    private readonly TemporaryFolder _folder = new();

    public ScoringTests()
    {
        using (var model = ImageClassifier.Create("vit-nano", AnimalPainter.Classes, imageSize: 32, seed: 1))
        {
            model.Save(_folder["model"]);
        }

        var drawn = AnimalPainter.Classes.Take(4).Select((name, i) =>
        {
            using var picture = AnimalPainter.Paint(name, 32, new Rng((ulong)i));
            var path = _folder.Reserve($"drawn/{i}.png");
            ImageCodec.SavePng(picture, path);
            return path;
        }).ToList();
        for (var i = 0; i < PictureCount; i++)
        {
            File.Copy(drawn[i * i % 7 % drawn.Count], _folder.Reserve($"photos/{i:0000}.png"));
        }

        File.WriteAllText(_folder["photos", Broken], "no picture");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_killed_job_goes_on_in_several_processes_without_doing_work_twice()
    {
        var whole = await CliProcess.TryAsync(_folder.Path, s_plain, Words("whole.parquet"));
        Assert.Equal((1, ""), (whole.Code, whole.Out));
        Assert.Equal("predicted 1030 pictures\nThe scores of 1030 pictures are in 'whole.parquet', a folder of 2 parts.\n1 picture cannot be read; the column error says why.\n", whole.Error);
        AssertRows(Read("whole.parquet"));

        var first = _folder["killed.parquet", "part-00000-of-00002.parquet"];
        using (var killed = CliProcess.Start(_folder.Path, s_plain, Words("killed.parquet")))
        {
            while (!File.Exists(first))
            {
                Thread.Yield();
            }

            await killed.KillAsync();
        }

        File.WriteAllText(_folder["killed.parquet", ".half.tmp"], "PAR1");
        File.Delete(_folder["killed.parquet", "part-00001-of-00002.parquet"]);
        var written = File.GetLastWriteTimeUtc(first);
        var (code, output, errors) = await MpiJob.RunAsync(MpiJob.OpenMpi, 2, _folder.Path, Words("killed.parquet"));

        Assert.True(code == 0, errors);
        Assert.Equal("", output);
        Assert.Equal(1, errors.Split("The scores of 1030 pictures are in 'killed.parquet', a folder of 2 parts, 1 of them written before.").Length - 1);
        Assert.Equal(written, File.GetLastWriteTimeUtc(first));
        Assert.Equal(Files("whole.parquet"), Files("killed.parquet"));
        Assert.All(Files("whole.parquet"), file => Assert.Equal(File.ReadAllBytes(_folder["whole.parquet", file]), File.ReadAllBytes(_folder["killed.parquet", file])));
    }

    [Fact]
    public async Task Other_work_is_not_mixed_with_what_is_there()
    {
        Directory.CreateDirectory(_folder["scores.parquet"]);
        File.WriteAllText(_folder["scores.parquet", "_scores.json"], """{"model": "1", "top": 5}""");
        Directory.CreateDirectory(_folder["full.parquet"]);
        File.WriteAllText(_folder["full.parquet", "notes.txt"], "");
        File.WriteAllText(_folder["file.parquet"], "");

        Assert.Matches(
            "^'scores.parquet' holds scores of something else: model was \"1\", and is \"[0-9a-f]{32}\". Give another --output, or remove the folder.\n$",
            (await CliProcess.TryAsync(_folder.Path, s_plain, Words("scores.parquet"))).Error);
        Assert.Equal(
            "The folder 'full.parquet' holds something that is no part of these scores: give another --output, or empty it.\n", (await CliProcess.TryAsync(_folder.Path, s_plain, Words("full.parquet"))).Error);
        Assert.Equal(
            "'file.parquet' is a file, and the scores of 1030 pictures are a folder of parts: give another --output, or remove it.\n", (await CliProcess.TryAsync(_folder.Path, s_plain, Words("file.parquet"))).Error);
    }

    [Fact]
    public async Task A_small_dataset_is_one_file()
    {
        foreach (var i in Enumerable.Range(0, 3))
        {
            File.Copy(_folder["drawn", $"{i}.png"], _folder.Reserve($"data/test/{AnimalPainter.Classes[i]}/{i}.png"));
        }

        using var run = new ConsoleRun();

        var status = await CommandLine.RunAsync(["predict", "--dataset", _folder["data"], "--model", _folder["model"], "--output", _folder["few.parquet"]], run.Console);

        Assert.True(status == 0, run.ErrorText);
        Assert.Equal($"predicted 3 pictures\nWrote the scores of 3 pictures to '{_folder["few.parquet"]}'.\n", run.ErrorText);
        using var file = new ParquetFileReader(_folder["few.parquet"]);
        Assert.Equal(3, file.FileMetaData.NumRows);
    }

    [Theory]
    [InlineData("--dataset is scored into a table; add --output scores.parquet.\n", "--dataset", "data")]
    [InlineData("Name photos or folders to predict, or a dataset with --dataset.\n", "--output", "scores.parquet")]
    [InlineData("Name either photos or a dataset with --dataset; leave one of them out.\n", "photo.jpg", "--dataset", "data", "--output", "scores.parquet")]
    [InlineData("--explain draws onto a sheet, and 'scores.parquet' is a table of scores; leave one of them out.\n", "photo.jpg", "--explain", "--output", "scores.parquet")]
    public async Task What_does_not_go_together_is_said(string message, params string[] words)
    {
        using var run = new ConsoleRun();

        var status = await CommandLine.RunAsync(["predict", "--model", "model", .. words], run.Console);

        Assert.Equal((2, message), (status, run.ErrorText));
    }

    private string[] Words(string output) => ["predict", "photos", "--model", "model", "--output", output, "--top", "2", "--workers", "1"];

    private IEnumerable<string> Files(string folder) => Directory.EnumerateFiles(_folder[folder], "*.parquet").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal);

    private void AssertRows(IReadOnlyList<(long Row, string File, string? Label, float? Score, string?[]? Labels, string? Error)> rows)
    {
        Assert.Equal(Enumerable.Range(0, PictureCount).Select(i => ((long)i, Path.Combine("photos", $"{i:0000}.png"))), rows.Select(r => (r.Row, r.File)));
        Assert.All(rows, r => Assert.Equal(r.File.EndsWith(Broken, StringComparison.Ordinal), r.Error is not null));
        Assert.All(rows.Where(r => r.Error is null), r => Assert.True(r.Labels!.Length == 2 && r.Labels[0] == r.Label && r.Score is > 0 and < 1));
        Assert.True(rows.Select(r => r.Score).Distinct().Count() is > 3 and < 9);
    }

    private List<(long Row, string File, string? Label, float? Score, string?[]? Labels, string? Error)> Read(string folder)
    {
        var rows = new List<(long, string, string?, float?, string?[]?, string?)>();
        foreach (var path in Files(folder))
        {
            using var file = new ParquetFileReader(_folder[folder, path]);
            using var group = file.RowGroup(0);
            var count = (int)group.MetaData.NumRows;
            var (row, name, label, score) = (Column<long>(0), Column<string>(1), Column<string?>(2), Column<float?>(3));
            var (labels, errors) = (Column<string?[]?>(4), Column<string?>(6));
            rows.AddRange(Enumerable.Range(0, count).Select(i => (row[i], name[i], label[i], score[i], labels[i], errors[i])));

            T[] Column<T>(int index)
            {
                using var column = group.Column(index).LogicalReader<T>();
                return column.ReadAll(count);
            }
        }

        return rows;
    }
}
