using System.Text.Json.Nodes;
using Vizsla.Training.Arguments;

namespace Vizsla.Tests.Training.Arguments;

public sealed class ArgumentReaderTests
{
    [Fact]
    public void Reads_names_of_both_majors_with_dashes_or_underscores()
    {
        var arguments = new ArgumentReader()
            .TakeText("--evaluation-strategy", "steps")
            .TakeText("--learning_rate", "2e-5")
            .TakeText("--per-device-train-batch-size", "64")
            .TakeText("--load_best_model_at_end", "true")
            .TakeText("--metric_for_best_model", "accuracy")
            .TakeText("--lr_scheduler_type", "cosine_with_restarts")
            .TakeText("--lr_scheduler_kwargs", "num_cycles=2")
            .TakeText("--freeze", "backbone, classifier\\.bias")
            .TakeText("--class_weights", "cat=2,dog=0.5")
            .TakeText("--optim", "adamw_torch")
            .TakeText("--resume_from_checkpoint", "true")
            .TakeText("--adafactor", "false")
            .Finish();

        Assert.Equal(IntervalStrategy.Steps, arguments.EvalStrategy);
        Assert.Equal(2e-5, arguments.LearningRate);
        Assert.Equal(64, arguments.PerDeviceTrainBatchSize);
        Assert.True(arguments.LoadBestModelAtEnd);
        Assert.Equal("accuracy", arguments.MetricForBestModel);
        Assert.Equal(SchedulerType.CosineWithRestarts, arguments.LrSchedulerType);
        Assert.Equal("""{"num_cycles":2}""", arguments.LrSchedulerKwargs!.ToJsonString());
        Assert.Equal(["backbone", "classifier\\.bias"], arguments.Freeze);
        Assert.Equal([2, 0.5], arguments.ClassWeights!.Resolve(["cat", "dog"], [1, 1]));
        Assert.Equal(OptimizerName.AdamwTorch, arguments.Optim);
        Assert.Equal("true", arguments.ResumeFromCheckpoint);
    }

    [Fact]
    public void A_later_value_overrules_an_earlier_one()
    {
        var file = new JsonObject { ["seed"] = 1, ["learning_rate"] = 1e-3 };

        var arguments = new ArgumentReader().Take(file).TakeText("--seed", "7").Finish();

        Assert.Equal(7, arguments.Seed);
        Assert.Equal(1e-3, arguments.LearningRate);
    }

    [Fact]
    public void Reads_a_file_with_comments_and_trailing_commas()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("vizsla").FullName, "run.jsonc");
        File.WriteAllText(path, "{\n  // the base rate\n  \"learning_rate\": 1e-3, /* and */\n}\n");

        Assert.Equal(1e-3, new ArgumentReader().Take(ArgumentReader.ReadFile(path)).Finish().LearningRate);
    }

    [Theory]
    [InlineData("learning_rat", "1", "Unknown argument 'learning_rat'. Did you mean 'learning_rate'?")]
    [InlineData("zzzzzzzz", "1", "Unknown argument 'zzzzzzzz'.")]
    [InlineData("learning_rate", "0", "learning_rate is 0.0, expected above 0, for example 5e-05.")]
    [InlineData("learning_rate", "-1e-5", "learning_rate is -1e-05, expected above 0, for example 5e-05.")]
    [InlineData("learning_rate", "fast", "learning_rate is \"fast\", expected a number.")]
    [InlineData("seed", "1.5", "seed is 1.5, expected a whole number.")]
    [InlineData("logging_first_step", "maybe", "logging_first_step is \"maybe\", expected true or false.")]
    [InlineData("optim", "adam_torch", "optim is 'adam_torch'. Known: adamw_torch, adamw_torch_fused, adam, nadam, radam, sgd, rmsprop, adagrad, adafactor, lion_32bit, lbfgs_head. Did you mean 'adamw_torch'?")]
    [InlineData("eval_strategy", "step", "eval_strategy is 'step'. Known: no, steps, epoch. Did you mean 'steps'?")]
    [InlineData("report_to", "wandb", "report_to is 'wandb'. Known: none, all, tensorboard.")]
    [InlineData("fsdp", "full_shard", "fsdp cannot be \"full_shard\": processes that mpirun starts share their work in one way here (distributed_order). Leave it out.")]
    [InlineData("activation_checkpointing", "true", "activation_checkpointing cannot be true: it is gradient_checkpointing here. Leave it out.")]
    [InlineData("max_steps", "0", "max_steps is 0, expected above 0, or -1 to go by num_train_epochs.")]
    [InlineData("num_train_epochs", "0", "num_train_epochs is 0.0, expected above 0.")]
    [InlineData("warmup_steps", "2.5", "warmup_steps is 2.5, expected a number of steps, or a share below 1.")]
    [InlineData("load_best_model_at_end", "true", "load_best_model_at_end needs evaluations during training: set eval_strategy to steps or epoch.")]
    [InlineData("early_stopping_patience", "3", "early_stopping_patience needs evaluations during training: set eval_strategy to steps or epoch.")]
    [InlineData("save_total_limit", "0", "save_total_limit is 0, expected at least 1; leave it out to keep all.")]
    [InlineData("freeze", "(", "'(' is not a regular expression of parameter names: Invalid pattern '(' at offset 1. Not enough )'s.")]
    [InlineData("class_weights", "heavy", "class_weights is \"heavy\", expected 'balanced', one number per class, or numbers by class name.")]
    public void Says_what_is_wrong(string name, string value, string message)
    {
        var reader = new ArgumentReader().TakeText(name, value);

        Assert.Equal(message, Assert.Throws<ArgumentsException>(reader.Finish).Message);
    }

    [Fact]
    public void Names_every_problem_at_once()
    {
        var reader = new ArgumentReader().TakeText("max_steps", "10").TakeText("num_train_epochs", "2").TakeText("bf16", "true").TakeText("fp16", "true").TakeText("sed", "1");

        Assert.Equal(
            [
                "Unknown argument 'sed'. Did you mean 'seed'?",
                "max_steps is 10 and num_train_epochs is 2.0, but only one of them can say when training ends: leave one out.",
                "bf16 and fp16 cannot both be true: choose one.",
            ],
            Assert.Throws<ArgumentsException>(reader.Finish).Problems);
    }

    [Fact]
    public void A_file_that_is_no_object_is_refused()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("vizsla").FullName, "run.jsonc");
        File.WriteAllText(path, "[1]");

        Assert.Equal($"The configuration '{path}' must hold one object of names and values.", Assert.Throws<ArgumentsException>(() => ArgumentReader.ReadFile(path)).Message);
    }

    [Fact]
    public void A_token_is_read_and_never_shown()
    {
        var arguments = new ArgumentReader().Take(new JsonObject { ["hub_token"] = "hf_secretword", ["push_to_hub"] = true, ["hub_model_id"] = "pets" }).Finish();
        var again = new ArgumentReader().Take("hub_token", ArgumentText.HiddenToken).Finish();
        var e = Assert.Throws<ArgumentsException>(() => new ArgumentReader().Take("hub_token", "hf_secret word").Finish());

        Assert.Equal("hf_secretword", arguments.HubToken!.Reveal());
        Assert.DoesNotContain("secretword", arguments.ToString(), StringComparison.Ordinal);
        Assert.Equal("<HUB_TOKEN>", ArgumentText.ToJson(arguments.HubToken)!.GetValue<string>());
        Assert.Null(again.HubToken);
        Assert.Equal("hub_token is not an access token, expected a text without spaces such as 'hf_...'.", e.Message);
    }

    [Fact]
    public void A_run_that_cannot_be_pushed_as_asked_is_refused_before_it_begins()
    {
        var e = Assert.Throws<ArgumentsException>(() => new ArgumentReader()
            .TakeText("push_to_hub", "true").TakeText("output_dir", "runs/my run").TakeText("hub_strategy", "checkpoint").TakeText("save_strategy", "no").Finish());
        var name = Assert.Throws<ArgumentsException>(() => new ArgumentReader().TakeText("hub_model_id", "a/b/c").TakeText("push_to_hub_organization", "team").Finish());

        Assert.Equal(
            [
                "hub_strategy checkpoint needs checkpoints: set save_strategy to steps, epoch or best.",
                "push_to_hub names the repository after the run folder, but 'my run' cannot be a name: give hub_model_id.",
            ],
            e.Problems);
        Assert.Equal(
            [
                "push_to_hub_organization cannot be \"team\": the owner is part of hub_model_id (owner/name). Leave it out.",
                "hub_model_id is 'a/b/c', expected owner/name, or a name alone, of letters, digits, '-', '_' and '.'.",
            ],
            name.Problems);
    }
}
