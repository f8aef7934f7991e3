using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Optimizers;
using Vizsla.Training.Schedules;
using static TorchSharp.torch;

namespace Vizsla.Tests.Training;

[Collection(TrainsAlone.Name)]
public sealed class TrainerOptionsTests
{
    [Fact]
    public void An_optimizer_and_a_schedule_of_the_caller_train_and_resume()
    {
        using var run = new TinyRun(dropout: 0);
        var arguments = run.Arguments("whole") with { MaxGradNorm = 0, LoadBestModelAtEnd = false };
        var options = new TrainerOptions { Optimizer = groups => new SignDescent(groups), Schedule = (optimizer, plan) => new Halving(optimizer, plan.MaxSteps) };

        using var whole = Train(run, arguments, options, stopAfter: null);
        using (Train(run, arguments with { OutputDir = run.Output("cut") }, options, stopAfter: 7))
        {
        }

        using var resumed = Train(run, arguments with { OutputDir = run.Output("cut"), ResumeFromCheckpoint = "true" }, options, stopAfter: null);

        Assert.All(whole.Names, name => Assert.Equal(0, whole.Difference(resumed, name)));
        var rates = TrainerState.Load(Path.Combine(run.Output("cut"), TrainerState.FileName)).LogHistory.Where(r => r.ContainsKey("learning_rate")).Select(r => r.Number("learning_rate")!.Value);
        Assert.Equal([3e-3, 3e-3, 3e-3, 1.5e-3, 1.5e-3, 1.5e-3], rates);
    }

    [Fact]
    public void A_loss_of_the_caller_takes_the_place_of_cross_entropy()
    {
        using var run = new TinyRun(dropout: 0);
        var arguments = run.Arguments() with { LoadBestModelAtEnd = false };
        var options = new TrainerOptions { ComputeLoss = (logits, labels, weight) => logits.square().sum().mul(0.5f / (float)weight) };

        using var weights = Train(run, arguments, options, stopAfter: null);

        var losses = TrainerState.Load(Path.Combine(run.Output(), TrainerState.FileName)).LogHistory.Where(r => r.ContainsKey("eval_loss")).Select(r => r.Number("eval_loss")!.Value).ToList();
        Assert.InRange(losses[^1], 0, 0.1 * losses[0]);
    }

    [Fact]
    public void Arguments_without_effect_beside_the_caller_s_own_are_refused()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        var options = new TrainerOptions { ComputeLoss = (logits, _, _) => logits.sum(), Optimizer = groups => new SignDescent(groups) };

        var refusal = Assert.Throws<ArgumentsException>(() => new Trainer(
            model, run.Arguments() with { LabelSmoothingFactor = 0.1, ClassWeights = ClassWeights.Balanced, SavePythonState = true }, TinyRun.Train(), TinyRun.Eval(), options));

        Assert.Equal(
            [
                "label_smoothing_factor has no effect on a custom loss (ComputeLoss): leave one of them out.",
                "class_weights has no effect on a custom loss (ComputeLoss): leave one of them out.",
                "save_python_state writes the optimizers and schedules that Python has, not custom ones (Optimizer, Schedule): leave one of them out.",
            ],
            refusal.Problems);
    }

    [Fact]
    public void A_trainer_trains_a_second_time()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        var arguments = run.Arguments() with { OverwriteOutputDir = true, EarlyStoppingPatience = 100 };
        using var trainer = new Trainer(model, arguments, TinyRun.Train(), TinyRun.Eval());
        var first = trainer.Train();
        using var between = Weights.Of(model.Network);

        var second = trainer.Train();

        using var after = Weights.Of(model.Network);
        Assert.Equal(first.GlobalStep, second.GlobalStep);
        Assert.InRange(second.TrainingLoss, 1e-6, first.TrainingLoss);
        Assert.Contains(between.Names, name => between.Difference(after, name) > 0);
        Assert.Equal(trainer.State.LogHistory.Count, TrainerState.Load(Path.Combine(run.Output(), TrainerState.FileName)).LogHistory.Count);
        Assert.Single(trainer.State.LogHistory, row => row.ContainsKey("train_runtime"));
        Assert.False(model.Network.training);
    }

    private static Weights Train(TinyRun run, TrainingArguments arguments, TrainerOptions options, int? stopAfter)
    {
        TorchSharp.torch.set_num_threads(1);
        using var stop = new CancellationTokenSource();
        var model = run.Model();
        using var trainer = new Trainer(model, arguments, TinyRun.Train(), TinyRun.Eval(), options with { Callbacks = [new StopAt(stopAfter, stop)] });
        try
        {
            trainer.Train(stop.Token);
        }
        catch (TrainingStoppedException) when (stopAfter is not null)
        {
        }

        return Weights.Of(model);
    }

    private sealed class StopAt(int? step, CancellationTokenSource stop) : TrainerCallback
    {
        public override void OnStepEnd(TrainerContext context)
        {
            if (context.State.GlobalStep == step)
            {
                stop.Cancel();
            }
        }
    }

    /// <summary>Steps by the sign of the sum of all gradients so far.</summary>
    private sealed class SignDescent(IReadOnlyList<ParameterGroup> groups) : Optimizer(groups)
    {
        public override IReadOnlyDictionary<string, object?> Options => new Dictionary<string, object?>();

        public override void Step()
        {
            using var noGradient = no_grad();
            using var scope = NewDisposeScope();
            foreach (var group in Groups)
            {
                foreach (var (name, parameter) in group.Parameters)
                {
                    if (parameter.grad is { } gradient)
                    {
                        var sum = StateOf(name).Zeros("sum", parameter);
                        sum.add_(gradient);
                        parameter.sub_(sum.sign().mul(tensor((float)group.LearningRate * 0.1f)));
                    }
                }
            }
        }
    }

    /// <summary>Half the rate from the middle of the run on.</summary>
    private sealed class Halving(Optimizer optimizer, int stepCount) : Schedule([.. optimizer.Groups.Select(g => g.BaseLearningRate)])
    {
        public override void Step()
        {
            StepCount++;
            for (var group = 0; group < BaseRates.Count; group++)
            {
                SetRate(group, StepCount < stepCount / 2 ? BaseRates[group] : BaseRates[group] / 2);
            }
        }
    }
}
