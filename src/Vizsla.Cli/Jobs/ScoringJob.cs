using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Hub.Cache;
using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Primitives;
using static Vizsla.Cli.Wording;

namespace Vizsla.Cli.Jobs;

/// <summary>Scores of pictures in Parquet: one file of a few, a folder of parts of many, which all processes share and a second start goes on with.</summary>
/// <param name="console">Where to show progress; its processes share the parts.</param>
/// <param name="path">Path of the file or folder.</param>
/// <param name="count">Pictures in all.</param>
/// <param name="asked">What decides the scores: model, pictures, options.</param>
internal sealed class ScoringJob(CommandConsole console, string path, int count, JsonObject asked)
{
    private const int MostParts = 256;
    private const int LeastRows = 1_000;
    private const int MostRows = 10_000;

    // Readers of folders of Parquet pass over names that begin so.
    private const string Description = "_scores.json";

    // The same for any number of processes.
    private readonly int _rows = Math.Clamp((int)((count + (long)MostParts - 1) / MostParts), LeastRows, MostRows);

    /// <summary>Whether an output is a table of scores.</summary>
    public static bool IsTable(string? output) => output is not null && string.Equals(Path.GetExtension(output), ".parquet", StringComparison.OrdinalIgnoreCase);

    private int PartCount => (count + _rows - 1) / _rows;

    /// <summary>Writes the parts that are not there yet.</summary>
    /// <param name="predict">Predicts so many pictures from a first one on.</param>
    /// <returns>The exit code: 1 where a picture could not be read.</returns>
    /// <exception cref="UsageException">There is something else at the path, or the processes were asked for different things.</exception>
    public int Run(Func<int, int, IEnumerable<PicturePrediction>> predict)
    {
        RequireAlike();
        var missing = JsonSerializer.Deserialize<int[]>(console.Processes.OnFirst(() => JsonSerializer.Serialize(Begin()))!)!;
        var own = missing.Where((_, i) => i % console.Processes.Size == console.Processes.Rank).ToList();
        var total = own.Sum(part => RowsOf(part));
        var failed = total == 0 ? 0 : PictureProgress.Run(console, report => Write(own, predict, done => report(console.Processes.Size > 1 ? $"rank {console.Processes.Rank} predicted" : "predicted", done, total)));
        failed = console.Processes.AllGather(MemoryMarshal.AsBytes<int>([failed])).Sum(bytes => MemoryMarshal.Read<int>(bytes));
        console.Note(PartCount == 1 ? $"Wrote the scores of {Counted(count, "picture")} to '{path}'."
            : $"The scores of {Counted(count, "picture")} are in '{path}', a folder of {PartCount} parts{(missing.Length < PartCount ? Invariant($", {PartCount - missing.Length} of them written before") : "")}.");
        if (failed > 0)
        {
            console.Note($"{Counted(failed, "picture")} cannot be read; the column error says why.");
        }

        return failed > 0 ? 1 : 0;
    }

    private int Write(List<int> parts, Func<int, int, IEnumerable<PicturePrediction>> predict, Action<int> report)
    {
        var (done, failed) = (0, 0);
        foreach (var part in parts)
        {
            var answers = new List<PicturePrediction>(RowsOf(part));
            foreach (var answer in predict(part * _rows, RowsOf(part)))
            {
                answers.Add(answer);
                failed += answer.Error is null ? 0 : 1;
                report(++done);
            }

            ScoreFile.Write(PathOf(part), part * (long)_rows, answers);
        }

        return failed;
    }

    private int RowsOf(int part) => Math.Min(_rows, count - (part * _rows));

    private string PathOf(int part) => PartCount == 1 ? path : Path.Combine(path, Invariant($"part-{part:00000}-of-{PartCount:00000}.parquet"));

    /// <summary>Looks at what is there.</summary>
    /// <returns>The parts to write.</returns>
    private IEnumerable<int> Begin()
    {
        if (PartCount <= 1)
        {
            if (Directory.Exists(path))
            {
                throw new UsageException($"'{path}' is a folder, and the scores of {Counted(count, "picture")} are one file: give another --output, or remove it.");
            }

            MakeFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
            return Enumerable.Range(0, PartCount);
        }

        if (File.Exists(path))
        {
            throw new UsageException($"'{path}' is a file, and the scores of {Counted(count, "picture")} are a folder of parts: give another --output, or remove it.");
        }

        var description = Path.Combine(path, Description);
        if (File.Exists(description))
        {
            var before = PythonJson.Parse(File.ReadAllText(description))!.AsObject();
            if (Difference(before, Whole()) is var (name, there, here))
            {
                throw new UsageException($"'{path}' holds scores of something else: {name} was {there}, and is {here}. Give another --output, or remove the folder.");
            }

            foreach (var unfinished in Directory.EnumerateFiles(path, ".*.tmp"))
            {
                File.Delete(unfinished);
            }
        }
        else if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
        {
            throw new UsageException($"The folder '{path}' holds something that is no part of these scores: give another --output, or empty it.");
        }
        else
        {
            MakeFolder(path);
            AtomicFile.Write(description, PythonJson.Serialize(Whole(), indent: 2), flush: true);
        }

        return Enumerable.Range(0, PartCount).Where(part => !File.Exists(PathOf(part)));
    }

    // Before the first picture is scored.
    private static void MakeFolder(string folder)
    {
        try
        {
            _ = Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--output: the folder '{folder}' cannot be created ({e.Message.TrimEnd('.')}). Give another place.");
        }
    }

    private JsonObject Whole()
    {
        var whole = asked.DeepClone().AsObject();
        whole["rows"] = count;
        whole["rows_of_a_part"] = _rows;
        return whole;
    }

    private void RequireAlike()
    {
        var all = console.Processes.AllGather(PythonJson.Serialize(Whole(), indent: null)).Select(text => PythonJson.Parse(text)!.AsObject()).ToList();
        for (var rank = 1; rank < all.Count; rank++)
        {
            if (Difference(all[0], all[rank]) is var (name, first, other))
            {
                throw new UsageException($"Rank {rank} does not score what rank 0 scores: {name} is {other} there, {first} on rank 0. Start all processes with the same command, the same version and the same data.");
            }
        }
    }

    private static (string Name, string There, string Here)? Difference(JsonObject there, JsonObject here)
    {
        foreach (var name in there.Select(v => v.Key).Union(here.Select(v => v.Key)))
        {
            var (left, right) = (PythonJson.Serialize(there[name], indent: null), PythonJson.Serialize(here[name], indent: null));
            if (left != right)
            {
                return (name, left, right);
            }
        }

        return null;
    }
}
