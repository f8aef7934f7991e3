using System.Buffers.Binary;
using System.Text;
using Vizsla.Runs.TensorBoard;
using Vizsla.Tests.Training;

namespace Vizsla.Tests.Runs;

public sealed class TensorBoardCallbackTests
{
    [Fact]
    public void A_run_leaves_numbers_arguments_the_first_batch_and_confusions()
    {
        using var run = new TinyRun();

        run.Train(run.Arguments() with { ReportTo = ["tensorboard"], NumTrainEpochs = 1 });

        var records = Records(Assert.Single(Directory.GetFiles(Path.Combine(run.Output(), "logs"))));
        foreach (var tag in new[] { "train/loss", "train/learning_rate", "eval/loss", "eval/accuracy", "args/text_summary", "batch", "eval/confusion_matrix" })
        {
            Assert.Contains(records, record => record.Contains(tag, StringComparison.Ordinal));
        }

        Assert.Contains(records, record => record.Contains("| learning_rate | 0.003 |", StringComparison.Ordinal));
        Assert.Single(records, record => record.Contains("\u0005batch", StringComparison.Ordinal));
    }

    [Fact]
    public void A_resumed_run_begins_a_file_of_its_own_and_says_from_which_step()
    {
        using var run = new TinyRun();
        var arguments = run.Arguments() with { ReportTo = ["tensorboard"] };
        Assert.False(run.Train(arguments, stopAfter: 6));

        Assert.True(run.Train(arguments with { ResumeFromCheckpoint = "true" }));

        var files = Directory.GetFiles(Path.Combine(run.Output(), "logs"));
        Assert.Equal(2, files.Length);

        // Field 7, two bytes long: a session that starts.
        Assert.Single(files.SelectMany(Records), record => record.Contains("\u0010\u0007\u003a\u0002\u0008\u0001", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_being_asked_for_nothing_is_written()
    {
        using var run = new TinyRun();

        run.Train(run.Arguments() with { NumTrainEpochs = 1 });

        Assert.False(Directory.Exists(Path.Combine(run.Output(), "logs")));
    }

    [Theory]
    [InlineData("loss", "train/loss")]
    [InlineData("eval_f1_macro", "eval/f1_macro")]
    [InlineData("test_accuracy", "test/accuracy")]
    public void Tags_are_those_of_Python(string key, string tag)
    {
        Assert.Equal(tag, TensorBoardCallback.TagOf(key));
    }

    /// <summary>The records of a file, each byte a character.</summary>
    private static List<string> Records(string path)
    {
        var bytes = File.ReadAllBytes(path).AsSpan();
        var records = new List<string>();
        while (!bytes.IsEmpty)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            records.Add(Encoding.Latin1.GetString(bytes.Slice(12, length)));
            bytes = bytes[(12 + length + 4)..];
        }

        return records;
    }
}
