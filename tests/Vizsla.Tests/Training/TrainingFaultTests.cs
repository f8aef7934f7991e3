using System.Text.Json.Nodes;
using TorchSharp;
using Vizsla.Datasets;
using Vizsla.Datasets.Storage;
using Vizsla.Loading;
using Vizsla.Models;
using Vizsla.Training.Arguments;
using Vizsla.Training.Data;
using Vizsla.Training.Losses;
using Vizsla.Training.Metrics;
using Vizsla.Training.Optimizers;
using Vizsla.Training.PythonState;
using Vizsla.Training.RateSearch;
using static TorchSharp.torch;

namespace Vizsla.Tests.Training;

/// <summary>Faults that were found by using the trainer.</summary>
[Collection(TrainsAlone.Name)]
public sealed class TrainingFaultTests
{
    [Theory]
    [InlineData(1, DataRng.Sample, false, 1)]
    [InlineData(2, DataRng.Sample, false, 1)]
    [InlineData(2, DataRng.Sample, true, 2)]
    [InlineData(1, DataRng.Torch, false, 2)]
    public void Many_steps_rent_as_many_buffers_as_one(int accumulation, DataRng rng, bool fitsMemory, int buffers)
    {
        using var run = new TinyRun();
        using var model = run.Model();
        var arguments = run.Arguments() with
        {
            PerDeviceTrainBatchSize = 1, GradientAccumulationSteps = accumulation, DataRng = rng, AutoFindBatchSize = fitsMemory, NumTrainEpochs = 1,
            DataloaderNumWorkers = 0, EvalStrategy = IntervalStrategy.No, LoadBestModelAtEnd = false, MetricForBestModel = null,
        };
        var collator = new BufferCounter();
        using var trainer = new Trainer(model, arguments, TinyRun.Train(40), options: new TrainerOptions { DataCollator = collator });

        trainer.Train();

        Assert.Equal(buffers, collator.Buffers.Count);
    }

    [Fact]
    public void A_split_without_labels_is_evaluated_after_a_training()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        using var trainer = new Trainer(model, run.Arguments() with { ReportTo = ["tensorboard"], EarlyStoppingPatience = 5 }, TinyRun.Train(), TinyRun.Eval());
        trainer.Train();
        var card = File.ReadAllText(Path.Combine(run.Output(), "README.md"));

        var metrics = trainer.Evaluate(WithoutLabels(TinyRun.Eval()));

        Assert.Equal(["epoch", "eval_runtime", "eval_samples_per_second", "eval_steps_per_second"], metrics.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(card, File.ReadAllText(Path.Combine(run.Output(), "README.md")));
    }

    [Fact]
    public void A_split_without_labels_cannot_say_which_evaluation_is_best()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        using var trainer = new Trainer(model, run.Arguments(), TinyRun.Train(), WithoutLabels(TinyRun.Eval()));

        var refusal = Assert.Throws<ArgumentsException>(() => trainer.Train());

        Assert.Equal("Pictures to evaluate on have no label, so 'eval_accuracy' cannot say which evaluation is best: pass a split with labels.", refusal.Message);
    }

    [Fact]
    public void A_batch_larger_than_the_split_takes_room_for_the_split_alone()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        var collator = new BufferCounter();
        using var trainer = new Trainer(
            model, run.Arguments() with { PerDeviceEvalBatchSize = int.MaxValue }, evalDataset: TinyRun.Eval(12), options: new TrainerOptions { DataCollator = collator });

        trainer.Evaluate();

        Assert.Equal(12 * 3 * 16 * 16, Assert.Single(collator.Buffers).Length);
    }

    [Fact]
    public void The_guard_remembers_the_pictures_of_a_step_and_not_of_all_steps()
    {
        using var guard = new FiniteGuard(TinyRun.Train(), CPU);

        for (var step = 1; step <= 200; step++)
        {
            guard.BeginStep(step, [0], 1e-3);
        }

        Assert.Equal(1, guard.RememberedSteps);
    }

    [Fact]
    public void The_area_under_the_curve_takes_less_memory_than_its_logits()
    {
        const int Rows = 3000;
        const int Classes = 200;
        var logits = Enumerable.Range(0, Rows * Classes).Select(i => (float)((i * 7919L) % 1000) / 100).ToArray();
        var prediction = new EvalPrediction(logits, [.. Enumerable.Range(0, Rows).Select(i => (long)(i % Classes))], [.. Enumerable.Range(0, Classes).Select(c => $"{c}")]);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var area = new RocAuc().Compute(prediction);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, logits.Length * sizeof(float));
        Assert.InRange(area, 0, 1);
    }

    [Fact]
    public void Features_that_do_not_fit_in_memory_are_not_kept()
    {
        using var run = new TinyRun();
        using var log = new ListLog();
        using var model = run.Model();
        var arguments = run.Arguments() with { Freeze = ["backbone"] };
        var compute = ComputeContext.Of(arguments, model.Network, Collator.Default);
        var plain = TinyRun.Train().WithTransform(TinyRun.Eval().Transform);
        using var freezing = new Freezing(model.Network, arguments);

        var kept = FeatureCache.For(compute, plain, TinyRun.Eval(), freezing, log, default, freeBytes: (42 + 24) * 24 * sizeof(float));
        var tooLarge = FeatureCache.For(compute, plain, TinyRun.Eval(), freezing, log, default, freeBytes: ((42 + 24) * 24 * sizeof(float)) - 1);

        Assert.NotNull(kept);
        Assert.Null(tooLarge);
        Assert.Equal(
            ["The features of the frozen backbone would take 0 MiB of memory, and 0 MiB are free: they are not kept, and each epoch runs all pictures through it."], log.LinesOfTheRun);
    }

    [Fact]
    public void A_search_for_a_learning_rate_unfreezes_as_the_training_does()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        var trained = 0;
        model.Network.register_forward_pre_hook((network, pixels) =>
        {
            trained += network.training ? 1 : 0;
            return pixels;
        });
        var arguments = run.Arguments() with { Freeze = ["backbone"], UnfreezeAtEpoch = 1, FeatureCache = true };
        using var trainer = new Trainer(model, arguments, TinyRun.Train(), TinyRun.Eval());

        trainer.FindLearningRate(new LearningRateSearch { From = 1e-6, To = 1e-5, Steps = 12 });

        // 9 steps of the first epoch on features, 3 of the second on pictures.
        Assert.Equal(3, trained);
    }

    [Fact]
    public void A_step_that_is_repeated_moves_batch_norms_once()
    {
        using var run = new TinyRun();
        using var before = Statistics(run, failsAfterwards: false);

        using var afterwards = Statistics(run, failsAfterwards: true);

        Assert.Equal(2, before["bn1.num_batches_tracked"].item<long>());
        Assert.Equal(2, afterwards["bn1.num_batches_tracked"].item<long>());
        Assert.Equal(0, before.Difference(afterwards, "bn1.running_mean"));
    }

    [Fact]
    public void A_smoothed_loss_weighs_each_picture_by_its_true_class()
    {
        using var scope = NewDisposeScope();
        using var loss = new TrainingLoss(0.1, [3.0, 0.5, 1.0], CPU);
        float[] scores = [1, 2, 3, 0, -1, 0.5f, 2, 2, -2, 4, 0, 1];
        long[] classes = [0, 1, 2, ImageBatch.NoLabel];

        var actual = loss.Compute(tensor(scores).reshape(4, 3), tensor(classes), 4.5).item<float>();

        var expected = Enumerable.Range(0, 3).Sum(row =>
        {
            var logits = scores.AsSpan(row * 3, 3).ToArray().Select(s => (double)s).ToArray();
            var log = logits.Select(s => s - Math.Log(logits.Sum(Math.Exp))).ToArray();
            return new[] { 3.0, 0.5, 1.0 }[classes[row]] * -((0.9 * log[classes[row]]) + (0.1 * log.Average()));
        }) / 4.5;
        Assert.Equal(expected, actual, 5);
    }

    [Fact]
    public void Without_class_weights_smoothing_is_torch_s()
    {
        using var scope = NewDisposeScope();
        using var even = new TrainingLoss(0.1, [1.0, 1.0, 1.0], CPU);
        using var plain = new TrainingLoss(0.1, null, CPU);
        var logits = tensor(new float[] { 1, 2, 3, 0, -1, 0.5f }).reshape(2, 3);
        var mixed = tensor(new float[] { 0.3f, 0.7f, 0, 0, 0.5f, 0.5f }).reshape(2, 3);

        Assert.Equal(plain.Compute(logits, tensor(new long[] { 2, 0 }), 2).item<float>(), even.Compute(logits, tensor(new long[] { 2, 0 }), 2).item<float>(), 5);
        Assert.Equal(plain.Compute(logits, mixed, 2).item<float>(), even.Compute(logits, mixed, 2).item<float>(), 5);
    }

    [Fact]
    public void A_metric_that_is_not_computed_cannot_say_which_evaluation_is_best()
    {
        using var run = new TinyRun();

        var problems = ArgumentChecks.Problems(run.Arguments() with { PredictionLossOnly = true });

        Assert.Equal(["prediction_loss_only leaves the metrics out, so metric_for_best_model cannot be accuracy: leave one of them out."], problems);
    }

    [Fact]
    public void A_model_of_several_labels_a_picture_is_one_of_single_labels_after_its_training()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        model.Configuration.ProblemType = "multi_label_classification";
        using var trainer = new Trainer(model, run.Arguments() with { MaxSteps = 1, NumTrainEpochs = 3 }, TinyRun.Train(), TinyRun.Eval());

        trainer.Train();

        Assert.Contains("\"problem_type\": \"single_label_classification\"", File.ReadAllText(Path.Combine(run.Output(), "config.json")), StringComparison.Ordinal);
        using var picture = new Vizsla.Imaging.Image(16, 16);
        Assert.Equal(1, model.Predict(picture).Sum(p => p.Score), 4);
    }

    [Fact]
    public void A_run_at_a_constant_rate_goes_on_for_more_epochs()
    {
        using var run = new TinyRun();
        var arguments = run.Arguments("cut") with { LrSchedulerType = SchedulerType.Constant };
        Assert.True(run.Train(arguments with { OutputDir = run.Output("whole"), NumTrainEpochs = 4 }));
        Assert.True(run.Train(arguments));

        Assert.True(run.Train(arguments with { NumTrainEpochs = 4, ResumeFromCheckpoint = "true" }));

        Assert.Equal(File.ReadAllBytes(Path.Combine(run.Output("whole"), "model.safetensors")), File.ReadAllBytes(Path.Combine(run.Output("cut"), "model.safetensors")));
    }

    [Fact]
    public void More_epochs_of_a_schedule_that_ends_are_refused_with_the_way_to_train_further()
    {
        using var run = new TinyRun();
        Assert.True(run.Train(run.Arguments()));
        var last = Directory.EnumerateDirectories(run.Output(), "checkpoint-18").Single();

        var refusal = Assert.Throws<TrainingException>(() => run.Train(run.Arguments() with { NumTrainEpochs = 4, ResumeFromCheckpoint = "true" }));

        Assert.Equal(
            $"The run cannot be resumed from '{last}' with other settings than it began with: num_train_epochs was 2 and is 4. Give the first ones, or start anew with another output_dir. "
            + $"To train a finished run further, start a new one from its model: vizsla train --model {run.Output()} --output ANOTHER, with the new settings.",
            refusal.Message);
    }

    [Fact]
    public void A_class_that_only_the_evaluation_has_is_named()
    {
        using var run = new TinyRun();
        using var log = new ListLog();
        using var model = run.Model();
        var train = TinyRun.Train();
        var some = train.Select(Enumerable.Range(0, train.Count).Where(row => train.Label(row) != 1));
        using var trainer = new Trainer(model, run.Arguments() with { MaxSteps = 1, NumTrainEpochs = 3 }, some, TinyRun.Eval(), new TrainerOptions { Logger = log });

        trainer.Train();

        Assert.Equal(["The training split has no picture of 'level', which the evaluation split has: the model cannot learn what it never sees."], log.LinesOfTheRun);
    }

    [Fact]
    public void The_state_for_Python_has_the_rate_of_the_next_step_in_both_files()
    {
        using var run = new TinyRun();
        Assert.True(run.Train(run.Arguments() with { SavePythonState = true, MaxSteps = 10, NumTrainEpochs = 3 }));
        var checkpoint = Path.Combine(run.Output(), "checkpoint-5");
        using var model = run.Model();
        using var optimizer = OptimizerTable.Create(run.Arguments(), ParameterGroups.Create(model.Network, run.Arguments()));

        PythonOptimizer.Read(Path.Combine(checkpoint, PythonOptimizer.FileName), optimizer);

        var schedule = PythonScheduler.Read(Path.Combine(checkpoint, PythonScheduler.FileName));
        Assert.All(optimizer.Groups.Zip(schedule["_last_lr"]!.AsArray()), pair => Assert.Equal(pair.Second!.GetValue<double>(), pair.First.LearningRate));
        Assert.Equal(0.0015, optimizer.Groups[0].LearningRate, 12);
    }

    [Fact]
    public void Nothing_is_read_from_a_curve_that_only_rises()
    {
        // A rise with the noise of single batches.
        var points = Enumerable.Range(0, 100).Select(i => new LearningRatePoint(1e-7 * Math.Pow(1e8, i / 99.0), 0, 0.7 + (i * 0.003) + (i % 7 * 0.001))).ToList();

        var curve = new LearningRateCurve(points, 100);

        Assert.Null(curve.Suggestion);
        Assert.Null(curve.Steepest);
        Assert.Null(curve.TenthOfBest);
        Assert.Equal("The loss never falls by more than 0.4 %, from 0.733 at 6.4e-7 to 0.985 at 3.9e0: no learning rate can be suggested.", curve.Problem);
    }

    /// <summary>The weights after one step of four pictures on a device whose memory holds two, which is found out before or after the forward pass.</summary>
    private static Weights Statistics(TinyRun run, bool failsAfterwards)
    {
        var model = ImageClassifier.Create("resnet18", TinyRun.Train().ClassNames, imageSize: 32, seed: 1);
        if (failsAfterwards)
        {
            model.Network.register_forward_hook((network, pixels, logits) => network.training && pixels.shape[0] > 2 ? throw new InsufficientMemoryException() : logits);
        }
        else
        {
            model.Network.register_forward_pre_hook((network, pixels) => network.training && pixels.shape[0] > 2 ? throw new InsufficientMemoryException() : pixels);
        }

        var arguments = run.Arguments($"{failsAfterwards}") with
        {
            PerDeviceTrainBatchSize = 4, AutoFindBatchSize = true, MaxSteps = 1, NumTrainEpochs = 3, EvalStrategy = IntervalStrategy.No, LoadBestModelAtEnd = false, MetricForBestModel = null, SaveStrategy = SaveStrategy.No,
        };
        using var trainer = new Trainer(model, arguments, TinyRun.Train());
        trainer.Train();
        return Weights.Of(model);
    }

    private static ImageDataset WithoutLabels(ImageDataset dataset) => new ImageDataset(
        new MemoryTable(
            Features.ForImages(new ClassLabel(dataset.ClassNames)),
            [[.. Enumerable.Range(0, dataset.Count).Select(row => (object?)(dataset[row] with { Label = null }))], [.. Enumerable.Repeat<object?>(null, dataset.Count)]])).WithTransform(dataset.Transform!);

    private sealed class BufferCounter : Collator
    {
        public HashSet<float[]> Buffers { get; } = new(ReferenceEqualityComparer.Instance);

        public override ModelInputs Collate(ImageBatch batch)
        {
            Buffers.Add(batch.Pixels);
            return Default.Collate(batch);
        }
    }
}
