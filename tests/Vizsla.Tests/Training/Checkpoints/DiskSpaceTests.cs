using Vizsla.Training.Callbacks;
using Vizsla.Training.Checkpoints;

namespace Vizsla.Tests.Training.Checkpoints;

[Collection(TrainsAlone.Name)]
public sealed class DiskSpaceTests
{
    private const long Mebibyte = 1 << 20;

    // Names, generator state, rows and the card of a small run.
    private const long Besides = 4 * Mebibyte;

    [Fact]
    public void A_disk_that_does_not_hold_two_checkpoints_is_refused()
    {
        var arguments = new TrainingArguments { OutputDir = "runs/breeds" };

        var problem = DiskSpace.Problem(arguments, model: 343 * Mebibyte, checkpoint: 1034 * Mebibyte, free: 1200 * Mebibyte);

        Assert.Equal(
            "The disk of 'runs/breeds' has 1.2 GiB free and the run needs at least 2.4 GiB: the model takes 0.3 GiB and each checkpoint 1.0 GiB, of which two exist while one is written. "
            + "Free some space, give another output_dir, or set save_only_model.",
            problem);
    }

    [Theory]
    [InlineData(SaveStrategy.Steps, 2411, true)]
    [InlineData(SaveStrategy.No, 343, true)]
    [InlineData(SaveStrategy.No, 342, false)]
    public void A_disk_that_holds_them_is_taken(SaveStrategy strategy, long free, bool isEnough)
    {
        var problem = DiskSpace.Problem(new TrainingArguments { SaveStrategy = strategy }, 343 * Mebibyte, 1034 * Mebibyte, free * Mebibyte);

        Assert.Equal(isEnough, problem is null);
    }

    [Theory]
    [InlineData(OptimizerName.AdamwTorchFused, 0)]
    [InlineData(OptimizerName.Sgd, 0)]
    [InlineData(OptimizerName.Lion_32bit, 0.9)]
    [InlineData(OptimizerName.Nadam, 0.9)]
    public void The_size_of_a_checkpoint_is_known_before_it_is_written(OptimizerName optimizer, double average)
    {
        using var run = new TinyRun();
        var arguments = run.Arguments() with
        {
            Optim = optimizer, OptimArgs = optimizer == OptimizerName.Sgd ? "momentum=0.9" : null, EmaDecay = average, MaxSteps = 5, NumTrainEpochs = 3, SavePythonState = optimizer == OptimizerName.AdamwTorchFused,
        };
        Assert.True(run.Train(arguments));
        using var model = run.Model();
        var size = model.Network.State().Sum(t => t.Value.numel()) * sizeof(float);

        var known = DiskSpace.CheckpointBytes(arguments, size, size / sizeof(float));

        var written = Directory.EnumerateFiles(Path.Combine(run.Output(), "checkpoint-5")).Sum(file => new FileInfo(file).Length);
        Assert.InRange(written, known - Besides, known);
    }

    [Fact]
    public void A_run_folder_that_cannot_be_written_is_said_before_the_run()
    {
        using var run = new TinyRun();
        Directory.CreateDirectory(Path.Combine(run.Output(), "run.lock"));
        File.WriteAllText(run.Output("file"), "");

        var unwritable = Assert.Throws<TrainingException>(() => run.Train(run.Arguments()));
        var unmakeable = Assert.Throws<TrainingException>(() => run.Train(run.Arguments("file")));

        Assert.Matches($"^The run folder '{run.Output()}' cannot be written: .+ Give another output_dir\\.$", unwritable.Message);
        Assert.Matches($"^The run folder '{run.Output("file")}' cannot be created: .+$", unmakeable.Message);
    }

    [Fact]
    public void A_checkpoint_that_cannot_be_written_ends_the_run_and_leaves_the_one_before()
    {
        using var run = new TinyRun();
        Assert.True(run.Train(run.Arguments("whole")));

        var failure = Assert.Throws<TrainingException>(() => run.Train(run.Arguments(), null, new Obstacle(run.Output(), step: 10)));
        File.Delete(Path.Combine(run.Output(), ".checkpoint-10.new.tmp"));
        Assert.True(run.Train(run.Arguments() with { ResumeFromCheckpoint = "true" }));

        Assert.Equal(10, failure.Step);
        Assert.Matches(
            $"^The checkpoint of step 10 cannot be written: .+ '{Path.Combine(run.Output(), "checkpoint-")}[0-9]+' is whole: fix this and resume with resume_from_checkpoint\\.$", failure.Message);
        Assert.Equal(Testing.RunFingerprint.Of(run.Output("whole")), Testing.RunFingerprint.Of(run.Output()));
    }

    /// <summary>Puts a file where the folder of a checkpoint is to be made.</summary>
    private sealed class Obstacle(string output, int step) : TrainerCallback
    {
        public override void OnStepEnd(TrainerContext context)
        {
            if (context.State.GlobalStep == step)
            {
                File.WriteAllText(Path.Combine(output, $".checkpoint-{step}.new.tmp"), "");
            }
        }
    }
}
