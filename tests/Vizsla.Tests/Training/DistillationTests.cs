using System.Text.Json.Nodes;
using TorchSharp;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;
using Vizsla.Training;
using static TorchSharp.torch;

namespace Vizsla.Tests.Training;

[Collection(TrainsAlone.Name)]
public sealed class DistillationTests
{
    private static readonly float[] s_student = [1.5f, -0.5f, 0.25f, 0, 2, -1, 3, -3, 0.5f, 0.1f, 0.2f, 0.3f];
    private static readonly float[] s_teacher = [4, -2, 1, -1, 3, 0.5f, 2, 2, -4, 0, -6, 6];

    [Theory]
    [InlineData(5.0, 0.5, 2.541980266571045, 0.17127098, -0.17263658, 0.00136561)]
    [InlineData(1.0, 1.0, 0.9126892685890198, 0.10566217, -0.1242739, 0.01861174)]
    [InlineData(2.0, 0.25, 1.2893462181091309, 0.20544107, -0.05589621, -0.14954485)]
    public void The_loss_is_that_of_the_guide_in_Python(double temperature, double alpha, double expected, double first, double second, double third)
    {
        // Recorded with torch 2.13: (1 - alpha) cross_entropy + alpha T^2 KLDivLoss(reduction="batchmean") and the gradient of the third row.
        using var scope = NewDisposeScope();
        var logits = tensor(s_student, [4, 3], requires_grad: true);
        var labels = nn.functional.cross_entropy(logits, tensor(new long[] { 0, 1, 2, 2 }));

        var loss = Distillation.Mix(labels, logits, tensor(s_teacher, [4, 3]), new TrainingArguments { DistillationAlpha = alpha, Temperature = temperature }, count: 4);
        loss.backward();

        Assert.Equal(expected, loss.item<float>(), 1e-6);
        var gradient = logits.grad![2].data<float>().ToArray();
        Assert.Equal(first, gradient[0], 1e-6);
        Assert.Equal(second, gradient[1], 1e-6);
        Assert.Equal(third, gradient[2], 1e-6);
    }

    [Fact]
    public void Micro_batches_and_kept_scores_give_the_losses_of_one_batch()
    {
        using var run = new TinyRun(dropout: 0);
        var teacher = Teacher(run);
        var arguments = run.Arguments() with
        {
            Teacher = teacher, EvalStrategy = IntervalStrategy.No, LoadBestModelAtEnd = false, MetricForBestModel = null, SaveStrategy = SaveStrategy.No, LoggingSteps = 1,
        };

        double[] whole = Losses(run, arguments with { PerDeviceTrainBatchSize = 10 }, TinyRun.Eval(30));
        double[] parts = Losses(run, arguments with { PerDeviceTrainBatchSize = 5, GradientAccumulationSteps = 2 }, TinyRun.Eval(30));
        double[] alone = Losses(run, arguments with { PerDeviceTrainBatchSize = 10, Teacher = null }, TinyRun.Eval(30));
        Assert.Equal(whole.Length, parts.Length);
        Assert.All(whole.Zip(parts), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.True(Math.Abs(whole[0] - alone[0]) > 1e-3, $"{whole[0]} and {alone[0]}");
    }

    [Fact]
    public void Pictures_that_change_are_shown_to_the_teacher_at_its_own_size()
    {
        using var run = new TinyRun(dropout: 0);
        var teacher = Teacher(run, side: 24);

        Assert.True(run.Train(run.Arguments() with { Teacher = teacher, DistillationAlpha = 1, Temperature = 2 }));

        var asked = JsonNode.Parse(File.ReadAllText(Path.Combine(run.Output(), "training_args.json")))!["arguments"]!;
        Assert.Equal((teacher, 1.0, 2.0), ((string)asked["teacher"]!, (double)asked["distillation_alpha"]!, (double)asked["temperature"]!));
    }

    [Fact]
    public void A_teacher_of_other_classes_is_refused()
    {
        using var run = new TinyRun();
        var (fewer, others) = (Teacher(run, "fewer", labels: ["falling", "level"]), Teacher(run, "others", labels: ["falling", "rising", "level"]));

        Assert.Equal($"The teacher '{fewer}' has 2 labels and the model has 3: train the teacher on this dataset first.", Refused(fewer));
        Assert.Equal($"The labels of the teacher '{others}' are not the model's: number 1 is 'rising' and 'level'; train the teacher on this dataset first.", Refused(others));

        string Refused(string teacher) => Assert.Throws<ArgumentsException>(() => run.Train(run.Arguments() with { Teacher = teacher })).Message;
    }

    [Theory]
    [InlineData("distillation_alpha", "distillation_alpha needs teacher: name the model whose scores are learnt.")]
    [InlineData("temperature", "temperature needs teacher: name the model whose scores are learnt.")]
    public void What_only_a_teacher_gives_sense_to_is_refused_without_one(string name, string message)
    {
        var arguments = name == "temperature" ? new TrainingArguments { Temperature = 2 } : new TrainingArguments { DistillationAlpha = 0.9 };

        Assert.Equal([message], ArgumentChecks.Problems(arguments));
    }

    private static double[] Losses(TinyRun run, TrainingArguments arguments, ImageDataset pictures)
    {
        using var model = run.Model();
        var rows = new Rows();
        using (var trainer = new Trainer(model, arguments with { OutputDir = run.Output(Guid.NewGuid().ToString()) }, pictures, options: new TrainerOptions { Callbacks = [rows] }))
        {
            trainer.Train();
        }

        return [.. rows.Losses];
    }

    private static string Teacher(TinyRun run, string name = "teacher", int side = 16, string[]? labels = null)
    {
        using var drawn = run.Model();
        var configuration = drawn.Configuration.Clone();
        configuration.Set("image_size", side);
        if (labels is not null)
        {
            configuration.SetLabels(labels);
        }

        using var teacher = ImageClassifier.FromConfig(configuration, seed: 9);
        teacher.Save(run.Output(name));
        return run.Output(name);
    }

    private sealed class Rows : TrainerCallback
    {
        public List<double> Losses { get; } = [];

        public override void OnLog(TrainerContext context, JsonObject row)
        {
            if (row["loss"] is { } loss)
            {
                Losses.Add((double)loss);
            }
        }
    }
}
