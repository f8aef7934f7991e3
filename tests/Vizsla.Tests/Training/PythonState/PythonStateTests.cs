using System.IO.Compression;
using System.Text;
using TorchSharp;
using Vizsla.Models.Weights;
using Vizsla.Testing;
using Vizsla.Training.Optimizers;
using Vizsla.Training.PythonState;
using Vizsla.Training.Schedules;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Tests.Training.PythonState;

public sealed class PythonStateTests
{
    [Theory]
    [InlineData(OptimizerName.AdamwTorch)]
    [InlineData(OptimizerName.AdamwTorchFused)]
    [InlineData(OptimizerName.Adam)]
    [InlineData(OptimizerName.Nadam)]
    [InlineData(OptimizerName.Radam)]
    [InlineData(OptimizerName.Sgd)]
    [InlineData(OptimizerName.Rmsprop)]
    [InlineData(OptimizerName.Adagrad)]
    [InlineData(OptimizerName.Adafactor)]
    public void What_was_written_is_read_back_and_goes_on_alike(OptimizerName name)
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var first = Optimizer(name, out var parameters);
        Step(first, parameters, 1);
        Step(first, parameters, 2);
        var file = folder.Reserve("optimizer.pt");

        PythonOptimizer.Write(file, first, name, [.. first.Groups.Select(g => g.LearningRate)]);
        using var second = Optimizer(name, out var copies);
        Copy(parameters, copies);
        PythonOptimizer.Read(file, second);
        Step(first, parameters, 3);
        Step(second, copies, 3);

        Assert.All(parameters.Zip(copies), pair => Assert.Equal(pair.First.Value.data<float>().ToArray(), pair.Second.Value.data<float>().ToArray()));
    }

    [Fact]
    public void An_optimizer_that_torch_lacks_is_refused()
    {
        using var folder = new TemporaryFolder();
        using var optimizer = Optimizer(OptimizerName.Lion_32bit, out _);

        var error = Assert.Throws<TrainingException>(() => PythonOptimizer.Write(folder.Reserve("optimizer.pt"), optimizer, OptimizerName.Lion_32bit, [.. optimizer.Groups.Select(g => g.LearningRate)]));

        Assert.Equal(
            "save_python_state: torch has no optimizer 'lion_32bit', so its state cannot be handed over; choose another 'optim' or leave 'save_python_state' off.",
            error.Message);
    }

    [Fact]
    public void The_state_of_another_model_is_refused_with_both_counts()
    {
        using var folder = new TemporaryFolder();
        using var optimizer = Optimizer(OptimizerName.Sgd, out _);
        var file = folder.Reserve("optimizer.pt");
        TorchFile.Write(file, new OrderedDictionary<object, object?>
        {
            ["state"] = new OrderedDictionary<object, object?>(),
            ["param_groups"] = new List<object?> { new OrderedDictionary<object, object?> { ["lr"] = 0.1, ["params"] = new List<object?> { 0 } } },
        });

        var error = Assert.Throws<TrainingException>(() => PythonOptimizer.Read(file, optimizer));

        Assert.Equal(
            $"'{file}' holds 1 parameters in 1 groups (1), but this run has 2 parameters in 2 groups (1, 1); resume the model that the checkpoint belongs to, with the same parameters frozen.",
            error.Message);
    }

    [Fact]
    public void A_file_that_is_cut_short_is_refused()
    {
        using var folder = new TemporaryFolder();
        using var optimizer = Optimizer(OptimizerName.AdamwTorch, out var parameters);
        Step(optimizer, parameters, 1);
        var file = folder.Reserve("optimizer.pt");
        PythonOptimizer.Write(file, optimizer, OptimizerName.AdamwTorch, [.. optimizer.Groups.Select(g => g.LearningRate)]);
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..300]);

        var error = Assert.Throws<TrainingException>(() => PythonOptimizer.Read(file, optimizer));

        Assert.StartsWith($"The optimizer's state '{file}' cannot be read: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_but_tensors_numbers_and_containers_is_asked_of_Python()
    {
        using var folder = new TemporaryFolder();
        using var optimizer = Optimizer(OptimizerName.AdamwTorch, out var parameters);
        Step(optimizer, parameters, 1);
        var file = folder.Reserve("optimizer.pt");

        PythonOptimizer.Write(file, optimizer, OptimizerName.AdamwTorch, [.. optimizer.Groups.Select(g => g.LearningRate)]);

        using var read = PickleCheckpoint.Open(file, keepOtherObjects: false);
        Assert.NotNull(read.Root);
    }

    [Fact]
    public void Whole_numbers_take_the_shortest_operation_and_texts_are_written_once()
    {
        using var stream = new MemoryStream();

        new PickleWriter(stream).Write(new object?[] { 255, 256, 65536, -1, 1L << 40, "ab", "ab" });

        byte[] expected =
        [
            0x80, 2, (byte)'(', (byte)'K', 255, (byte)'M', 0, 1, (byte)'J', 0, 0, 1, 0, (byte)'J', 255, 255, 255, 255,
            0x8A, 6, 0, 0, 0, 0, 0, 1, (byte)'X', 2, 0, 0, 0, (byte)'a', (byte)'b', (byte)'q', 0, (byte)'h', 0, (byte)'t', (byte)'q', 1, (byte)'.',
        ];
        Assert.Equal(expected, stream.ToArray());
    }

    [Fact]
    public void Long_lists_come_in_batches_of_a_thousand()
    {
        using var stream = new MemoryStream();

        new PickleWriter(stream).Write(Enumerable.Repeat((object?)null, 1001).ToList());

        var bytes = stream.ToArray();
        Assert.Equal("(N"u8.ToArray(), bytes[5..7]);
        Assert.Equal("e(Ne."u8.ToArray(), bytes[^5..]);
    }

    [Fact]
    public void Bytes_of_tensors_begin_at_multiples_of_64()
    {
        using var stream = new MemoryStream();
        using var value = ones(3);

        TorchFile.Write(stream, "archive", new List<object?> { value, value });

        var text = Encoding.Latin1.GetString(stream.ToArray());
        var at = text.IndexOf("\0\0\x80\x3f\0\0\x80\x3f\0\0\x80\x3f", StringComparison.Ordinal);
        Assert.Equal(0, at % 64);
        using var archive = new ZipArchive(stream);
        Assert.Equal(
            ["data.pkl", ".format_version", ".storage_alignment", "byteorder", "data/0", "data/1", "version", ".data/serialization_id"],
            archive.Entries.Select(e => e.FullName["archive/".Length..]));
    }

    [Fact]
    public void A_plateau_goes_on_where_it_stood()
    {
        using var folder = new TemporaryFolder();
        var options = new PlateauOptions(Patience: 1);
        var first = new PlateauSchedule([0.1, 0.1], options);
        first.Evaluated(1);
        first.Evaluated(2);
        var file = folder.Reserve("scheduler.pt");

        PythonScheduler.Write(file, first, SchedulerType.ReduceLrOnPlateau);
        var second = new PlateauSchedule([0.1, 0.1], options);
        second.LoadState(PythonScheduler.Read(file));
        first.Evaluated(3);
        second.Evaluated(3);

        Assert.Equal(0.01, first.Rates[0], 1e-12);
        Assert.Equal(first.Rates, second.Rates);
    }

    private static Optimizer Optimizer(OptimizerName name, out NamedParameter[] parameters)
    {
        using var range = arange(Kept(6L), dtype: ScalarType.Float32);
        parameters =
        [
            new("weight", nn.Parameter(range.reshape(3, 2))),
            new("bias", nn.Parameter(ones(2))),
        ];
        return OptimizerTable.Create(
            new TrainingArguments { OutputDir = "run", Optim = name, OptimArgs = name == OptimizerName.Sgd ? "momentum=0.9" : null },
            [new([parameters[0]], 1e-3, 0.01), new([parameters[1]], 1e-3, 0)]);
    }

    private static void Step(Optimizer optimizer, NamedParameter[] parameters, int seed)
    {
        foreach (var (_, parameter) in parameters)
        {
            using var like = parameter.detach();
            using var gradient = full_like(like, Kept(0.1f * seed));
            parameter.grad = gradient;
        }

        optimizer.Step();
    }

    private static void Copy(NamedParameter[] from, NamedParameter[] to)
    {
        using var noGradient = no_grad();
        foreach (var (source, target) in from.Zip(to))
        {
            target.Value.copy_(source.Value);
        }
    }
}
