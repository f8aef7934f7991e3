using System.IO.Compression;
using System.Text.Json.Nodes;
using Vizsla.Models.Weights;
using Vizsla.Native;
using Vizsla.Testing;
using Vizsla.Training.Arguments;
using Vizsla.Training.Data;
using Vizsla.Training.Optimizers;
using Vizsla.Training.PythonState;
using static TorchSharp.torch;

namespace Vizsla.Tests.Training.PythonState;

/// <summary>Every checkpoint of Python's Trainer below <c>trainer/</c> (make/trainer.py).</summary>
[Trait("Category", "Golden")]
[Collection(RunAlone.Name)]
public sealed class PythonStateGoldenTests
{
    [Fact]
    public void What_Python_wrote_is_written_again_with_the_same_operations_and_bytes()
    {
        foreach (var path in Files("optimizer.pt").Concat(Files("scheduler.pt")))
        {
            using var file = PickleCheckpoint.Open(path);
            using var scope = NewDisposeScope();
            using var stream = new MemoryStream();

            TorchFile.Write(stream, Path.GetFileNameWithoutExtension(path), Rebuilt(file.Root, file));

            using var expected = ZipFile.OpenRead(path);
            using var actual = new ZipArchive(stream);
            Assert.Equal(expected.Entries.Select(e => e.FullName), actual.Entries.Select(e => e.FullName));
            foreach (var entry in expected.Entries.Where(e => e.Name != "serialization_id"))
            {
                Assert.True(Bytes(entry).AsSpan().SequenceEqual(Bytes(actual.GetEntry(entry.FullName)!)), $"{path}: {entry.FullName} differs");
            }

            AssertSameFileButForTheSerial(path, stream.ToArray());
        }
    }

    [Fact]
    public void An_optimizer_that_took_over_hands_over_the_same_file()
    {
        foreach (var path in Files("optimizer.pt"))
        {
            using var folder = new TemporaryFolder();
            using var scope = NewDisposeScope();
            using var optimizer = OptimizerTable.Create(new TrainingArguments { OutputDir = "run", Optim = OptimizerName.AdamwTorch }, Groups(path));
            var copy = folder.Reserve("optimizer.pt");

            PythonOptimizer.Read(path, optimizer);
            PythonOptimizer.Write(copy, optimizer, OptimizerName.AdamwTorch, [.. optimizer.Groups.Select(g => g.LearningRate)]);

            AssertSameFileButForTheSerial(path, File.ReadAllBytes(copy));
        }
    }

    [Fact]
    public void The_schedule_is_read_with_its_rates_and_steps()
    {
        foreach (var path in Files("scheduler.pt"))
        {
            var state = PythonScheduler.Read(path);

            var trainer = JsonNode.Parse(File.ReadAllText(Path.Combine(Path.GetDirectoryName(path)!, "trainer_state.json")))!;
            Assert.Equal(trainer["global_step"]!.GetValue<int>(), state["last_epoch"]!.GetValue<int>());
            Assert.All(state["_last_lr"]!.AsArray(), rate => Assert.InRange(rate!.GetValue<double>(), 0, 1));
        }
    }

    [Fact]
    public void The_generators_are_read_and_torch_takes_its_own_back()
    {
        foreach (var path in Files("rng_state.pth"))
        {
            var before = TorchGenerator.GetState();
            try
            {
                var random = PythonRandom.Read(path);
                TorchGenerator.SetState(random.Torch);

                Assert.Equal(random.Torch, TorchGenerator.GetState());
                Assert.InRange(random.Numpy!.Position, 0, MersenneState.WordCount);
                Assert.InRange(random.Python!.Position, 0, MersenneState.WordCount);
                Assert.Equal(MersenneState.WordCount, random.Numpy.Words.Length);
            }
            finally
            {
                TorchGenerator.SetState(before);
            }
        }
    }

    /// <summary>Parameters of the shapes that the file remembers, in its groups.</summary>
    private static ParameterGroup[] Groups(string path)
    {
        using var file = PickleCheckpoint.Open(path);
        var root = new PickleValues(path, file.Root);
        var states = root.Child("state");
        return
        [
            .. root.List("param_groups").Select(group => new ParameterGroup(
                [.. group.List("params").Select(n => new NamedParameter($"{n.Value}", nn.Parameter(zeros([.. ((PickleTensor)states.Find(n.Value)!.Child("exp_avg").Value!).Shape]))))],
                group.Number("initial_lr"),
                group.Number("weight_decay"))),
        ];
    }

    private static void AssertSameFileButForTheSerial(string path, byte[] actual)
    {
        var expected = File.ReadAllBytes(path);
        Assert.Equal(expected.Length, actual.Length);

        // 40 digits of the serial, its checksum behind it and in the directory.
        var differing = Enumerable.Range(0, expected.Length).Count(i => expected[i] != actual[i]);
        Assert.InRange(differing, 0, 40 + 4 + 4);
    }

    private static string[] Files(string name)
    {
        var files = Directory.GetFiles(Golden.Require("trainer"), name, SearchOption.AllDirectories);
        if (files.Length == 0)
        {
            Assert.Skip($"skipped: no {name} below this root");
        }

        return files;
    }

    // Dictionaries of the reader keep the order of the file.
    private static object? Rebuilt(object? value, PickleCheckpoint file) => value switch
    {
        Dictionary<object, object?> map => new OrderedDictionary<object, object?>(map.Select(e => KeyValuePair.Create(e.Key, Rebuilt(e.Value, file)))),
        List<object?> list => list.ConvertAll(item => Rebuilt(item, file)),
        object?[] tuple => tuple.Select(item => Rebuilt(item, file)).ToArray(),
        PickleTensor tensor => file.Read(tensor),
        _ => value,
    };

    private static byte[] Bytes(ZipArchiveEntry entry)
    {
        using var stream = entry.Open();
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
