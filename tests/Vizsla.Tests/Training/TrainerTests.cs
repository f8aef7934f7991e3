using System.Text.Json.Nodes;
using Vizsla.Primitives;
using Vizsla.Runs;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Checkpoints;
using Vizsla.Training.Metrics;

namespace Vizsla.Tests.Training;

[Collection(TrainsAlone.Name)]
public sealed class TrainerTests
{
    [Fact]
    public void A_better_evaluation_always_has_a_checkpoint()
    {
        using var run = new TinyRun();
        var arguments = run.Arguments() with { EvalSteps = 2, SaveSteps = 500 };

        Assert.True(run.Train(arguments));

        var state = TrainerState.Load(Path.Combine(run.Output(), TrainerState.FileName));
        var best = state.LogHistory.Where(r => r.ContainsKey("eval_accuracy")).MaxBy(r => r.Number("eval_accuracy"))!;
        Assert.Equal(best.Whole("step"), state.BestGlobalStep);
        Assert.Equal(
            new[] { CheckpointNames.Of(state.BestGlobalStep!.Value), CheckpointNames.Of(state.MaxSteps) }.Distinct().Order(StringComparer.Ordinal),
            Directory.EnumerateDirectories(run.Output(), "checkpoint-*").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal));
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(run.Output(), CheckpointNames.Of(state.BestGlobalStep.Value), "model.safetensors")),
            File.ReadAllBytes(Path.Combine(run.Output(), "model.safetensors")));
    }

    [Fact]
    public void The_run_folder_holds_what_it_should()
    {
        using var run = new TinyRun();

        Assert.True(run.Train(run.Arguments()));

        foreach (var name in new[] { "config.json", "model.safetensors", "trainer_state.json", "train_results.json", "all_results.json", "training_args.json", "events.jsonl" })
        {
            Assert.True(File.Exists(Path.Combine(run.Output(), name)), name);
        }

        var config = PythonJson.Parse(File.ReadAllText(Path.Combine(run.Output(), "config.json")))!;
        Assert.Equal("single_label_classification", config["problem_type"]!.GetValue<string>());
        var asked = PythonJson.Parse(File.ReadAllText(Path.Combine(run.Output(), "training_args.json")))!;
        Assert.Equal(42, asked["arguments"]!["seed"]!.GetValue<long>());
        Assert.Equal(16, asked["data"]!["train"]!["fingerprint"]!.GetValue<string>().Length);
        var events = File.ReadAllLines(Path.Combine(run.Output(), "events.jsonl")).Select(line => PythonJson.Parse(line)!["event"]!.GetValue<string>()).ToList();
        Assert.Equal("train_begin", events[0]);
        Assert.Equal("train_end", events[^1]);
        Assert.Contains("log", events);
        Assert.Contains("save", events);
    }

    [Fact]
    public void A_folder_with_another_run_is_refused_and_replaced_on_demand()
    {
        using var run = new TinyRun();
        Assert.True(run.Train(run.Arguments() with { MaxSteps = 5, NumTrainEpochs = 3 }));
        File.WriteAllText(Path.Combine(run.Output(), "notes.txt"), "mine");
        File.WriteAllText(Path.Combine(run.Output(), "calibration.json"), "of the first run");

        var refusal = Assert.Throws<TrainingException>(() => run.Train(run.Arguments()));
        Assert.True(run.Train(run.Arguments() with { MaxSteps = 3, NumTrainEpochs = 3, OverwriteOutputDir = true }));

        Assert.Equal(
            $"The folder '{run.Output()}' holds another run ('checkpoint-5'). Resume it with resume_from_checkpoint, replace it with overwrite_output_dir, or give another output_dir.",
            refusal.Message);
        Assert.Equal(["checkpoint-3"], Directory.EnumerateDirectories(run.Output(), "checkpoint-*").Select(f => Path.GetFileName(f)));
        Assert.Equal("mine", File.ReadAllText(Path.Combine(run.Output(), "notes.txt")));
        Assert.False(File.Exists(Path.Combine(run.Output(), "calibration.json")));
    }

    [Fact]
    public void A_second_training_on_one_folder_is_refused()
    {
        using var run = new TinyRun();
        using var first = RunLock.Take(run.Output());

        var refusal = Assert.Throws<TrainingException>(() => run.Train(run.Arguments()));

        Assert.Equal($"The run folder '{run.Output()}' is in use by another training: wait for it, or give another output_dir.", refusal.Message);
    }

    [Fact]
    public void A_loss_that_is_not_finite_stops_the_run_and_names_its_pictures()
    {
        using var run = new TinyRun();
        var arguments = run.Arguments() with { LearningRate = 1e30, MaxGradNorm = 0, SaveSteps = 1, LoadBestModelAtEnd = false };

        var stop = Assert.Throws<TrainingException>(() => run.Train(arguments));

        Assert.Equal(2, stop.Step);
        Assert.Matches(
            @"^The loss or its gradient is no longer a finite number at step 2, learning rate 9\.444444444444444e\+29; its pictures are ('train-\d+\.png'(, )?){5}\. The weights of this step were not kept\. Lower learning_rate, raise warmup_steps, or look at these pictures\.$",
            stop.Message);
        Assert.Equal(["checkpoint-1"], Directory.EnumerateDirectories(run.Output(), "checkpoint-*").Select(f => Path.GetFileName(f)));
    }

    [Fact]
    public void Other_settings_at_resume_are_refused_where_they_change_the_run()
    {
        using var run = new TinyRun();
        Assert.False(run.Train(run.Arguments(), stopAfter: 5));

        var refusal = Assert.Throws<TrainingException>(() => run.Train(run.Arguments() with { ResumeFromCheckpoint = "true", Seed = 7, LearningRate = 1e-3, EvalSteps = 7 }));

        Assert.Equal(
            $"The run cannot be resumed from '{Path.Combine(run.Output(), "checkpoint-5")}' with other settings than it began with: learning_rate was 0.003 and is 0.001; seed was 42 and is 7. "
            + "Give the first ones, or start anew with another output_dir. "
            + $"To train a finished run further, start a new one from its model: vizsla train --model {run.Output()} --output ANOTHER, with the new settings.",
            refusal.Message);
    }

    [Fact]
    public void Other_settings_at_resume_are_listed_where_they_change_what_is_seen()
    {
        using var run = new TinyRun();
        using var log = new ListLog();
        Assert.False(run.Train(run.Arguments(), stopAfter: 5));
        using var model = run.Model();
        var arguments = run.Arguments() with { ResumeFromCheckpoint = "true", EvalSteps = 7, LoggingSteps = 2, SaveTotalLimit = 1 };
        using var trainer = new Trainer(model, arguments, TinyRun.Train(), TinyRun.Eval(), new TrainerOptions { Logger = log });

        trainer.Train();

        Assert.Equal(
            [
                $"Resuming from '{Path.Combine(run.Output(), "checkpoint-5")}'.",
                "logging_steps was 3 when the run began and is 2.",
                "eval_steps was 4 when the run began and is 7.",
            ],
            log.LinesOfTheRun);
    }

    [Fact]
    public void Another_training_transform_at_resume_is_refused()
    {
        using var run = new TinyRun();
        Assert.False(run.Train(run.Arguments(), stopAfter: 5));
        using var model = run.Model();
        using var trainer = new Trainer(model, run.Arguments() with { ResumeFromCheckpoint = "true" }, TinyRun.Train().WithTransform(TinyRun.Eval().Transform), TinyRun.Eval());

        var refusal = Assert.Throws<TrainingException>(() => trainer.Train());

        Assert.Equal(
            $"The run cannot be resumed from '{Path.Combine(run.Output(), "checkpoint-5")}' with other settings than it began with: "
            + $"the training transform was {TinyRun.Train().Transform} and is {TinyRun.Eval().Transform}. Give the first ones, or start anew with another output_dir.",
            refusal.Message);
    }

    [Fact]
    public void A_checkpoint_of_another_model_is_refused()
    {
        using var run = new TinyRun();
        Assert.True(run.Train(run.Arguments() with { MaxSteps = 5, NumTrainEpochs = 3 }));
        var checkpoint = Path.Combine(run.Output(), "checkpoint-5");
        File.Delete(Path.Combine(checkpoint, "training_args.json"));
        var manifest = Path.Combine(checkpoint, "checkpoint.json");
        var listed = JsonNode.Parse(File.ReadAllText(manifest))!.AsObject();
        Assert.True(listed["files"]!.AsObject().Remove("training_args.json"));
        File.WriteAllText(manifest, listed.ToJsonString());
        using var model = ImageClassifier.Create("vit-nano", TinyRun.Train().ClassNames, imageSize: 16, seed: 1);
        using var trainer = new Trainer(model, run.Arguments("other") with { ResumeFromCheckpoint = checkpoint }, TinyRun.Train(), TinyRun.Eval());

        var refusal = Assert.Throws<TrainingException>(() => trainer.Train());

        Assert.Equal(
            $"The checkpoint '{Path.Combine(checkpoint, "model.safetensors")}' is of another model: 'vit.embeddings.cls_token' has the shape [1, 1, 24], expected [1, 1, 96].", refusal.Message);
    }

    [Fact]
    public void Events_say_how_a_run_ended()
    {
        using var run = new TinyRun();
        Assert.False(run.Train(run.Arguments("stopped"), stopAfter: 3));
        var failure = Assert.Throws<TrainingException>(() => run.Train(run.Arguments("failed") with { LearningRate = 1e30, MaxGradNorm = 0 }));

        var stopped = LastEvent(run.Output("stopped"));
        var failed = LastEvent(run.Output("failed"));

        Assert.Equal("stopped", stopped["event"]!.GetValue<string>());
        Assert.Equal("checkpoint-3", stopped["checkpoint"]!.GetValue<string>());
        Assert.Equal("asked to stop after step 3", stopped["reason"]!.GetValue<string>());
        Assert.Equal("failed", failed["event"]!.GetValue<string>());
        Assert.Equal(failure.Message, failed["reason"]!.GetValue<string>());
        Assert.Equal(1, failed["step"]!.GetValue<long>());
    }

    [Fact]
    public void Half_a_line_that_a_killed_process_left_ends_before_the_next_event()
    {
        using var run = new TinyRun();
        Assert.False(run.Train(run.Arguments(), stopAfter: 3));
        var path = Path.Combine(run.Output(), "events.jsonl");
        File.AppendAllText(path, "{\"event\": \"lo");

        Assert.True(run.Train(run.Arguments() with { ResumeFromCheckpoint = "true" }));

        var lines = File.ReadAllLines(path);
        var cut = Array.IndexOf(lines, "{\"event\": \"lo");
        Assert.Equal("train_begin", PythonJson.Parse(lines[cut + 1])!["event"]!.GetValue<string>());
    }

    [Fact]
    public void The_first_batch_is_drawn_as_the_model_sees_it()
    {
        using var run = new TinyRun();

        Assert.True(run.Train(run.Arguments() with { MaxSteps = 1, NumTrainEpochs = 3 }));

        using var sheet = Vizsla.Imaging.ImageCodec.Load(Path.Combine(run.Output(), "plots", "first_batch.png"));
        Assert.InRange(sheet.Width, 5 * 160, 6 * 200);
    }

    [Fact]
    public void A_checkpoint_cut_short_is_named_and_an_older_one_is_taken()
    {
        using var run = new TinyRun();
        Assert.False(run.Train(run.Arguments(), stopAfter: 10));
        var broken = Path.Combine(run.Output(), "checkpoint-10");
        using (var file = File.OpenWrite(Path.Combine(broken, "optimizer.safetensors")))
        {
            file.SetLength(1000);
        }

        var refusal = Assert.Throws<TrainingException>(() => run.Train(run.Arguments() with { ResumeFromCheckpoint = broken }));
        Assert.True(run.Train(run.Arguments() with { ResumeFromCheckpoint = "true" }));

        Assert.Matches($"^The checkpoint '{broken}' cannot be resumed: 'optimizer.safetensors' has 1000 bytes, expected \\d+ bytes\\. Resume from another one\\.$", refusal.Message);
    }

    [Fact]
    public void A_checkpoint_without_the_optimizer_cannot_be_resumed()
    {
        using var run = new TinyRun();
        Assert.True(run.Train(run.Arguments() with { SaveOnlyModel = true, MaxSteps = 5, NumTrainEpochs = 3 }));
        var checkpoint = Path.Combine(run.Output(), "checkpoint-5");

        var refusal = Assert.Throws<TrainingException>(() => run.Train(run.Arguments("other") with { ResumeFromCheckpoint = checkpoint }));

        Assert.Equal(
            $"The checkpoint '{checkpoint}' cannot be resumed: it holds the model without the optimizer's state (save_only_model). Resume from another one.", refusal.Message);
    }

    [Fact]
    public void Needs_a_split_to_evaluate_on_where_evaluation_was_asked_for()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        using var trainer = new Trainer(model, run.Arguments(), TinyRun.Train());

        var refusal = Assert.Throws<ArgumentsException>(() => trainer.Train());

        Assert.Equal("eval_strategy is steps, but there is no split to evaluate on: pass one, or set eval_strategy to no.", refusal.Message);
    }

    [Fact]
    public void The_classes_must_be_those_of_the_model()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        var others = Pictures.OfFiles(["a", "b"], [("x.png", 0)], "train");
        using var trainer = new Trainer(model, run.Arguments() with { EvalStrategy = IntervalStrategy.No, LoadBestModelAtEnd = false }, others);

        var refusal = Assert.Throws<ArgumentsException>(() => trainer.Train());

        Assert.Equal("The model has 3 labels and the split 'train' has 2 classes: load the model with the dataset's labels and ignore_mismatched_sizes.", refusal.Message);
    }

    [Theory]
    [InlineData("The model has 3 labels and the split 'test' has 2 classes: evaluate a model that was trained on these classes.", "a", "b")]
    [InlineData("The labels of the model are not the classes of the split 'test': number 1 is 'level' and 'steep'. Evaluate a model that was trained on these classes.", "falling", "steep", "rising")]
    public void A_split_of_other_classes_is_not_evaluated(string message, params string[] classes)
    {
        using var run = new TinyRun();
        using var model = run.Model();
        using var trainer = new Trainer(model, run.Arguments() with { EvalStrategy = IntervalStrategy.No, LoadBestModelAtEnd = false });
        var others = Pictures.OfFiles(classes, [("x.png", 0)], "test");

        Assert.Equal(message, Assert.Throws<ArgumentsException>(() => trainer.Predict(others)).Message);
        Assert.Equal(message, Assert.Throws<ArgumentsException>(() => trainer.Evaluate(others)).Message);
    }

    [Fact]
    public void The_names_of_the_classes_must_be_those_of_the_model()
    {
        using var run = new TinyRun();
        using var model = run.Model();
        var others = Pictures.OfFiles(["falling", "rising", "level"], [("x.png", 0)], "train");
        using var trainer = new Trainer(model, run.Arguments() with { EvalStrategy = IntervalStrategy.No, LoadBestModelAtEnd = false }, others);

        var refusal = Assert.Throws<ArgumentsException>(() => trainer.Train());

        Assert.Equal(
            "The labels of the model are not the classes of the split 'train': number 1 is 'level' and 'rising'. Load the model with the dataset's labels.", refusal.Message);
    }

    [Fact]
    public void The_best_metric_must_be_one_that_is_computed()
    {
        using var run = new TinyRun();
        using var model = run.Model();

        var refusal = Assert.Throws<ArgumentsException>(() => new Trainer(model, run.Arguments() with { MetricForBestModel = "eval_acuracy" }));

        Assert.Equal(
            $"metric_for_best_model is 'eval_acuracy', which no metric of this run gives. Known: loss, {string.Join(", ", Metric.All.Select(m => m.Name))}. Did you mean 'accuracy'?",
            refusal.Message);
    }

    [Theory]
    [InlineData("f1", "eval_f1_macro", true)]
    [InlineData("eval_log_loss", "eval_log_loss", false)]
    [InlineData("ece", "eval_expected_calibration_error", false)]
    public void Any_metric_can_say_which_evaluation_is_best_and_knows_its_direction(string name, string key, bool isGreaterBetter)
    {
        using var run = new TinyRun();

        Assert.True(run.Train(run.Arguments() with { MetricForBestModel = name }));

        var state = TrainerState.Load(Path.Combine(run.Output(), TrainerState.FileName));
        var values = state.LogHistory.Where(r => r.ContainsKey(key)).Select(r => r.Number(key)!.Value).ToList();
        Assert.Equal(isGreaterBetter ? values.Max() : values.Min(), state.BestMetric);
    }

    [Fact]
    public void An_old_state_of_Python_can_be_read_and_keys_stay_as_Python_expects_them()
    {
        using var run = new TinyRun();
        Assert.True(run.Train(run.Arguments()));
        var path = Path.Combine(run.Output(), "checkpoint-5", TrainerState.FileName);

        var json = (JsonObject)PythonJson.Parse(File.ReadAllText(path))!;

        Assert.Equal(
            "best_global_step best_metric best_model_checkpoint epoch eval_steps global_step is_hyper_param_search is_local_process_zero is_world_process_zero log_history "
            + "logging_steps max_steps num_input_tokens_seen num_train_epochs save_steps stateful_callbacks total_flos train_batch_size trial_name trial_params",
            string.Join(' ', json.Select(v => v.Key)));
        Assert.Equal(File.ReadAllText(path), TrainerState.Load(path).ToFileText());
    }

    private static JsonObject LastEvent(string output) => (JsonObject)PythonJson.Parse(File.ReadAllLines(Path.Combine(output, "events.jsonl"))[^1])!;
}
