using Vizsla.Primitives;

namespace Vizsla.Cli;

/// <summary>What people type for an option or a verb before they know its name here.</summary>
internal static class Guesses
{
    /// <summary>Guesses of options and the real names; of several, the first that the verb has is meant.</summary>
    internal static IReadOnlyDictionary<string, string[]> Options { get; } = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["lr"] = ["learning_rate"],
        ["rate"] = ["learning_rate"],
        ["epoch"] = ["num_train_epochs"],
        ["epochs"] = ["num_train_epochs"],
        ["n_epochs"] = ["num_train_epochs"],
        ["num_epochs"] = ["num_train_epochs"],
        ["max_epochs"] = ["num_train_epochs"],
        ["steps"] = ["max_steps"],
        ["num_steps"] = ["max_steps"],
        ["batch"] = ["per_device_train_batch_size", "per_device_eval_batch_size", "batch_size"],
        ["batch_size"] = ["per_device_train_batch_size", "per_device_eval_batch_size"],
        ["bs"] = ["per_device_train_batch_size", "per_device_eval_batch_size", "batch_size"],
        ["train_batch_size"] = ["per_device_train_batch_size"],
        ["eval_batch_size"] = ["per_device_eval_batch_size"],
        ["workers"] = ["dataloader_num_workers"],
        ["num_workers"] = ["dataloader_num_workers", "workers"],
        ["threads"] = ["dataloader_num_workers", "workers"],
        ["scheduler"] = ["lr_scheduler_type"],
        ["lr_scheduler"] = ["lr_scheduler_type"],
        ["schedule"] = ["lr_scheduler_type"],
        ["warmup"] = ["warmup_steps"],
        ["warmup_epochs"] = ["warmup_steps"],
        ["wd"] = ["weight_decay"],
        ["decay"] = ["weight_decay"],
        ["optimizer"] = ["optim"],
        ["opt"] = ["optim"],
        ["betas"] = ["adam_beta1"],
        ["momentum"] = ["optim_args"],
        ["grad_clip"] = ["max_grad_norm"],
        ["clip_grad"] = ["max_grad_norm"],
        ["sampler"] = ["train_sampling_strategy"],
        ["weighted_sampler"] = ["train_sampling_strategy"],
        ["label_smoothing"] = ["label_smoothing_factor"],
        ["smoothing"] = ["label_smoothing_factor"],
        ["mixup"] = ["mixup_alpha"],
        ["cutmix"] = ["cutmix_alpha"],
        ["ema"] = ["ema_decay"],
        ["model_ema"] = ["ema_decay"],
        ["swa"] = ["swa_epochs"],
        ["patience"] = ["early_stopping_patience"],
        ["early_stopping"] = ["early_stopping_patience"],
        ["accumulation_steps"] = ["gradient_accumulation_steps"],
        ["grad_accum"] = ["gradient_accumulation_steps"],
        ["amp"] = ["bf16"],
        ["half"] = ["bf16"],
        ["precision"] = ["bf16"],
        ["device"] = ["use_cpu"],
        ["cpu"] = ["use_cpu"],
        ["resume"] = ["resume_from_checkpoint"],
        ["continue"] = ["resume_from_checkpoint"],
        ["force"] = ["overwrite_output_dir", "overwrite"],
        ["verbose"] = ["log_level", "log_format"],
        ["quiet"] = ["log_format"],
        ["freeze_backbone"] = ["freeze"],
        ["frozen"] = ["freeze"],
        ["scratch"] = ["from_scratch"],
        ["pretrained"] = ["model"],
        ["checkpoint"] = ["model"],
        ["weights"] = ["model"],
        ["model_name"] = ["model"],
        ["model_name_or_path"] = ["model"],
        ["arch"] = ["model"],
        ["run"] = ["model", "runs"],
        ["data"] = ["dataset"],
        ["data_dir"] = ["dataset"],
        ["data_path"] = ["dataset"],
        ["dataset_name"] = ["dataset"],
        ["train_dir"] = ["dataset"],
        ["folder"] = ["dataset", "images", "output"],
        ["photos"] = ["images", "dataset"],
        ["input"] = ["images", "dataset"],
        ["csv"] = ["labels"],
        ["label_file"] = ["labels"],
        ["validation_split"] = ["eval_split", "validation_size"],
        ["val_split"] = ["eval_split", "validation_size"],
        ["val_size"] = ["validation_size"],
        ["img_size"] = ["image_size"],
        ["imgsz"] = ["image_size"],
        ["input_size"] = ["image_size"],
        ["size"] = ["image_size", "test_size"],
        ["augment"] = ["transforms"],
        ["augmentation"] = ["transforms"],
        ["augmentations"] = ["transforms"],
        ["recipe"] = ["config"],
        ["preset"] = ["config"],
        ["k"] = ["top"],
        ["topk"] = ["top"],
        ["json"] = ["format", "log_format"],
        ["csv_output"] = ["format"],
        ["out"] = ["output"],
        ["out_dir"] = ["output"],
        ["save_dir"] = ["output"],
        ["name"] = ["output", "repo"],
        ["metric"] = ["metric_for_best_model"],
        ["revision"] = ["model_revision", "dataset_revision"],
        ["branch"] = ["revision", "model_revision"],
        ["repo_id"] = ["repo", "hub_model_id"],
        ["private"] = ["hub_private_repo"],
        ["push"] = ["push_to_hub"],
        ["tensorboard"] = ["report_to"],
    };

    /// <summary>Guesses of verbs and the real names.</summary>
    internal static IReadOnlyDictionary<string, string> Verbs { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["fit"] = "train", ["finetune"] = "train", ["fine_tune"] = "train", ["learn"] = "train", ["resume"] = "train",
        ["test"] = "evaluate", ["eval"] = "evaluate", ["validate"] = "evaluate", ["val"] = "evaluate", ["score"] = "evaluate",
        ["infer"] = "predict", ["inference"] = "predict", ["classify"] = "predict", ["label"] = "predict",
        ["split"] = "prepare", ["check"] = "dataset", ["stats"] = "dataset", ["info"] = "dataset", ["data"] = "dataset", ["datasets"] = "dataset",
        ["list"] = "models", ["model"] = "models", ["summary"] = "models", ["env"] = "doctor", ["diagnose"] = "doctor", ["ui"] = "studio", ["web"] = "studio", ["dashboard"] = "studio",
        ["api"] = "serve", ["server"] = "serve", ["demo"] = "quickstart", ["example"] = "quickstart", ["upload"] = "push", ["publish"] = "push", ["download"] = "pull", ["fetch"] = "pull",
        ["transforms"] = "augment", ["auth"] = "login",
    };

    /// <summary>" Did you mean '--x'?" with a leading space, or nothing.</summary>
    /// <param name="typed">The unknown option, with its dashes and perhaps its value.</param>
    /// <param name="options">Names of the verb's options, with their dashes.</param>
    public static string Option(string typed, IReadOnlyCollection<string> options)
    {
        var name = typed.Split('=')[0];
        var guess = Options.GetValueOrDefault(Fold(name), []).Select(real => "--" + real).FirstOrDefault(options.Contains);
        return guess is null ? Suggestion.DidYouMean(name, options) : $" Did you mean '{guess}'?";
    }

    /// <summary>" Did you mean 'x'?" with a leading space, or nothing.</summary>
    /// <param name="typed">The unknown verb.</param>
    /// <param name="verbs">Names of the verbs.</param>
    public static string Verb(string typed, IReadOnlyCollection<string> verbs) =>
        Verbs.TryGetValue(Fold(typed), out var guess) && verbs.Contains(guess) ? $" Did you mean '{guess}'?" : Suggestion.DidYouMean(typed, verbs);

    private static string Fold(string word) => word.TrimStart('-').Replace('-', '_').ToLowerInvariant();
}
