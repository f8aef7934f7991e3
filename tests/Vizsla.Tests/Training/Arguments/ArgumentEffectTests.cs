using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Vizsla.Hub;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;
using Vizsla.Transforms;

namespace Vizsla.Tests.Training.Arguments;

/// <summary>Trains with each argument at another value and compares what comes out: no argument is taken and then ignored.</summary>
[Collection(TrainsAlone.Name)]
public sealed partial class ArgumentEffectTests
{
    private const string Evaluates = """{"eval_strategy": "steps", "eval_steps": 2}""";
    private const string Resumes = """{"resume_from_checkpoint": "true"}""";
    private const string Pushes = """{"push_to_hub": true, "hub_model_id": "user/one", "save_strategy": "no"}""";
    private const string Explodes = """{"learning_rate": 1e30, "max_grad_norm": 0, "stop_on_nan": false}""";
    private const string Freezes = """{"freeze": ["backbone"], "max_steps": -1, "num_train_epochs": 2}""";

    // What changes nothing that can be compared on a processor, and what holds it instead.
    private static readonly Dictionary<string, string> s_elsewhere = new()
    {
        ["use_cpu"] = "only where there is a GPU",
        ["dataloader_pin_memory"] = "only where there is a GPU",
        ["full_determinism"] = "only where there is a GPU",
        ["tf32"] = "only where there is a GPU",
        ["eval_accumulation_steps"] = "when logits are read back from a GPU",
        ["dataloader_prefetch_factor"] = "BatchLoaderTests",
        ["auto_find_batch_size"] = "OptionTests",
        ["hub_always_push"] = "PushToHubTests",
        ["hub_token"] = "PushToHubTests",
        ["freeze_batch_norm"] = "UnfreezingTests, with a network that has some",
        ["do_train"] = "TrainCommandTests",
        ["do_eval"] = "TrainCommandTests",
        ["do_predict"] = "TrainCommandTests",
        ["ddp_timeout"] = "MpiTrainingTests",
        ["ddp_comm_hook"] = "SharedTrainingTests",
        ["sync_batch_norm"] = "SharedNormTests",
        ["distributed_order"] = "SharedGoldenTests",
        ["gradient_checkpointing"] = "RecomputationTests: it changes no number",
        ["distillation_alpha"] = "DistillationTests",
        ["temperature"] = "DistillationTests",
        ["disable_tqdm"] = "TrainingDisplayTests",
    };

    private static readonly Dictionary<string, string> s_unchanged = [];

    public static TheoryData<string, string, string> Changes() => new()
    {
        { "output_dir", "\"elsewhere\"", "{}" },
        { "overwrite_output_dir", "true", """{"overwrite_output_dir": false}""" },
        { "eval_strategy", "\"epoch\"", "{}" },
        { "prediction_loss_only", "true", Evaluates },
        { "per_device_train_batch_size", "3", "{}" },
        { "per_device_eval_batch_size", "3", Evaluates },
        { "gradient_accumulation_steps", "2", "{}" },
        { "eval_delay", "3", Evaluates },
        { "learning_rate", "0.004", "{}" },
        { "weight_decay", "0.5", "{}" },
        { "adam_beta1", "0.5", "{}" },
        { "adam_beta2", "0.5", "{}" },
        { "adam_epsilon", "0.1", "{}" },
        { "max_grad_norm", "0.01", "{}" },
        { "num_train_epochs", "0.5", """{"max_steps": -1}""" },
        { "max_steps", "2", "{}" },
        { "lr_scheduler_type", "\"cosine\"", "{}" },
        { "lr_scheduler_kwargs", """{"num_cycles": 2}""", """{"lr_scheduler_type": "cosine_with_restarts"}""" },
        { "warmup_ratio", "0.5", "{}" },
        { "warmup_steps", "2", "{}" },
        { "log_level", "\"error\"", "{}" },
        { "logging_dir", "\"tensorboard\"", """{"report_to": ["tensorboard"]}""" },
        { "logging_strategy", "\"epoch\"", "{}" },
        { "logging_first_step", "true", """{"logging_steps": 3}""" },
        { "logging_steps", "3", "{}" },
        { "logging_nan_inf_filter", "false", Explodes },
        { "save_strategy", "\"steps\"", """{"save_strategy": "no"}""" },
        { "save_steps", "3", "{}" },
        { "save_total_limit", "1", "{}" },
        { "save_only_model", "true", "{}" },
        { "restore_callback_states_from_checkpoint", "false", """{"resume_from_checkpoint": "true", "eval_strategy": "steps", "eval_steps": 1, "early_stopping_patience": 2, "early_stopping_threshold": 100}""" },
        { "seed", "7", "{}" },
        { "data_seed", "7", "{}" },
        { "bf16", "true", "{}" },
        { "fp16", "true", "{}" },
        { "bf16_full_eval", "true", Evaluates },
        { "fp16_full_eval", "true", Evaluates },
        { "dataloader_drop_last", "true", """{"max_steps": 9, "per_device_train_batch_size": 6}""" },
        { "eval_steps", "1", Evaluates },
        { "dataloader_num_workers", "0", "{}" },
        { "run_name", "\"striped\"", "{}" },
        { "load_best_model_at_end", "true", """{"eval_strategy": "steps", "eval_steps": 2, "metric_for_best_model": "accuracy"}""" },
        { "metric_for_best_model", "\"accuracy\"", """{"eval_strategy": "steps", "eval_steps": 2, "load_best_model_at_end": true}""" },
        { "greater_is_better", "true", """{"eval_strategy": "steps", "eval_steps": 2, "load_best_model_at_end": true}""" },
        { "ignore_data_skip", "true", Resumes },
        { "label_smoothing_factor", "0.3", "{}" },
        { "optim", "\"sgd\"", "{}" },
        { "optim_args", "\"momentum=0.5\"", """{"optim": "sgd"}""" },
        { "train_sampling_strategy", "\"sequential\"", "{}" },
        { "report_to", "[\"tensorboard\"]", "{}" },
        { "skip_memory_metrics", "false", "{}" },
        { "resume_from_checkpoint", "\"nowhere\"", "{}" },
        { "eval_on_start", "true", Evaluates },
        { "data_rng", "\"torch\"", "{}" },
        { "fast_decode", "true", "{}" },
        { "stop_on_nan", "true", Explodes },
        { "class_weights", "[1, 2, 3]", "{}" },
        { "mixup_alpha", "0.5", "{}" },
        { "cutmix_alpha", "0.5", "{}" },
        { "freeze", "[\"backbone\"]", "{}" },
        { "unfreeze_at_epoch", "1", Freezes },
        { "unfreeze_learning_rate", "0.05", """{"freeze": ["backbone"], "max_steps": -1, "num_train_epochs": 2, "unfreeze_at_epoch": 1}""" },
        { "layer_decay", "0.5", "{}" },
        { "parameter_learning_rates", """{"classifier": 0.1}""", "{}" },
        { "ema_decay", "0.5", "{}" },
        { "swa_epochs", "2", """{"max_steps": -1, "num_train_epochs": 2}""" },
        { "teacher", "\"nowhere\"", "{}" },
        { "early_stopping_patience", "1", """{"eval_strategy": "steps", "eval_steps": 1, "early_stopping_threshold": 100}""" },
        { "early_stopping_threshold", "100", """{"eval_strategy": "steps", "eval_steps": 1, "early_stopping_patience": 1, "metric_for_best_model": "loss"}""" },
        { "patch_drop_rate", "0.5", "{}" },
        { "feature_cache", "true", Freezes },
        { "save_python_state", "true", "{}" },
        { "push_to_hub", "true", """{"hub_model_id": "user/one"}""" },
        { "hub_model_id", "\"user/two\"", Pushes },
        { "hub_strategy", "\"all_checkpoints\"", Pushes },
        { "hub_private_repo", "true", Pushes },
        { "hub_revision", "\"drafts\"", Pushes },
    };

    [Fact]
    public void Every_argument_is_changed_here_or_where_it_can_be_seen()
    {
        var changed = Changes().Select(c => c.Data.Item1).Concat(s_elsewhere.Keys).Order(StringComparer.Ordinal);

        Assert.Equal(ArgumentTable.Fields.Select(f => f.Name).Order(StringComparer.Ordinal), changed);
    }

    [Theory]
    [Trait("Category", "Slow")]
    [MemberData(nameof(Changes))]
    public async Task A_changed_argument_changes_the_run_or_is_refused(string name, string value, string together)
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("VIZSLA_SLOW") == "1", "skipped: a minute and more; set VIZSLA_SLOW=1");
        var changes = JsonNode.Parse(together)!.AsObject();
        changes[name] = JsonNode.Parse(value);

        var outcome = await OutcomeAsync(changes);

        Assert.NotEqual(await UnchangedAsync(together), outcome);
    }

    [Fact]
    public async Task The_same_arguments_leave_the_same_behind()
    {
        var basis = JsonNode.Parse(Evaluates)!.AsObject();

        Assert.Equal(await OutcomeAsync(basis), await OutcomeAsync(basis));
    }

    // Many arguments are compared with the same run.
    private static async Task<string> UnchangedAsync(string together)
    {
        if (!s_unchanged.TryGetValue(together, out var outcome))
        {
            s_unchanged[together] = outcome = await OutcomeAsync(JsonNode.Parse(together)!.AsObject());
        }

        return outcome;
    }

    /// <summary>What a run leaves behind and where it computed, or the sentence that refuses it; timings aside.</summary>
    private static async Task<string> OutcomeAsync(JsonObject changes)
    {
        await using var hub = changes["push_to_hub"] is not null ? await OwnHub.StartAsync() : null;
        using var run = new TinyRun { Hub = hub?.Client };
        var first = (JsonObject)changes.DeepClone();
        if (first.Remove("overwrite_output_dir") | (changes["resume_from_checkpoint"]?.GetValue<string>() == "true" && first.Remove("resume_from_checkpoint")))
        {
            _ = Train(run, first, stopAfter: 2);
        }

        var outcome = Train(run, changes, stopAfter: null);
        outcome.AddRange(Directory.EnumerateFiles(run.Root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(file => Describe(run.Root, file)));
        foreach (var repo in hub is null ? [] : await hub.Client.ListReposAsync(RepoType.Model))
        {
            var id = RepoId.Model(repo.Id);
            outcome.Add($"{repo.Id} private: {repo.IsPrivate}, branches: {string.Join(' ', (await hub!.Client.ListReferencesAsync(id)).Branches.Select(b => b.Name))}");
            outcome.AddRange(await hub.FilesAsync(id));
        }

        return string.Join('\n', outcome);
    }

    private static List<string> Train(TinyRun run, JsonObject changes, int? stopAfter)
    {
        using var stop = new CancellationTokenSource();
        using var model = run.Model();
        var probe = new Probe(stopAfter, stop);
        try
        {
            var rows = TinyRun.Train(20);
            using var trainer = new Trainer(
                model, Read(run, changes), rows.WithTransform(new Compose([probe.Transform, .. rows.Transform!.Transforms])), TinyRun.Eval(8), new TrainerOptions { Hub = run.Hub, Callbacks = [probe] });
            var output = trainer.Train(stop.Token);
            return [$"{output.GlobalStep} steps, pictures by the training thread: {probe.Transform.Threads.Contains(Environment.CurrentManagedThreadId)}", .. output.Metrics.Keys];
        }
        catch (Exception e) when (e is ArgumentException or ArgumentsException or TrainingException or TrainingStoppedException)
        {
            return [e.Message.Replace(run.Root, "", StringComparison.Ordinal)];
        }
    }

    private static TrainingArguments Read(TinyRun run, JsonObject changes)
    {
        var reader = new ArgumentReader(new TrainingArguments
        {
            OutputDir = run.Output(), UseCpu = true, Bf16 = false, LearningRate = 3e-3, PerDeviceTrainBatchSize = 5, MaxSteps = 4, LoggingSteps = 1, SaveSteps = 2, DataloaderNumWorkers = 1,
        });
        foreach (var (name, value) in changes)
        {
            _ = reader.Take(name, name is "output_dir" ? run.Output(value!.GetValue<string>()) : value?.DeepClone());
        }

        return reader.Finish();
    }

    // Files of arguments say them whether they have an effect or not; a card and rows hold dates and times.
    private static string Describe(string root, string file)
    {
        var (place, name) = (Path.GetRelativePath(root, file), Path.GetFileName(file));
        var isEventFile = name.StartsWith("events.out", StringComparison.Ordinal);
        return name is "training_args.json" or "events.jsonl" or "checkpoint.json" or "run.lock" || isEventFile ? Path.GetDirectoryName(place) + "/" + (isEventFile ? "events.out" : name)
            : Path.GetExtension(name) is ".json" or ".md" ? $"{place} {Timing().Replace(File.ReadAllText(file).Replace(root, "", StringComparison.Ordinal), "")}"
            : Path.GetExtension(name) is ".png" ? place
            : $"{place} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)))}";
    }

    [GeneratedRegex("\"[a-z_]*(_runtime|_per_second|_flos|_mem[a-z_]*)\": *[^,}\n]*|^- Training took .*$", RegexOptions.Multiline)]
    private static partial Regex Timing();

    /// <summary>Stops after a step, and remembers which threads prepare pictures.</summary>
    private sealed class Probe(int? stopAfter, CancellationTokenSource stop) : TrainerCallback
    {
        public ThreadProbe Transform { get; } = new();

        public override void OnStepEnd(TrainerContext context)
        {
            if (context.State.GlobalStep == stopAfter)
            {
                stop.Cancel();
            }
        }
    }

    private sealed record ThreadProbe : ImageTransform
    {
        private readonly ConcurrentBag<int> _threads = [];

        public IEnumerable<int> Threads => _threads;

        public override Image Apply(Image image, Rng rng)
        {
            _threads.Add(Environment.CurrentManagedThreadId);
            return image;
        }
    }
}
