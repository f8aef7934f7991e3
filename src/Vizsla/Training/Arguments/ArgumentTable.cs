using System.Reflection;
using System.Text.Json.Nodes;
using Vizsla.Primitives;

namespace Vizsla.Training.Arguments;

/// <summary>Every argument that the Hugging Face Trainer has had in 4.57 or 5.x: what works, under which names, and what is refused for which reason.</summary>
internal static class ArgumentTable
{
    private const string OneProcess = "processes that mpirun starts share their work in one way here (distributed_order)";
    private const string NoText = "it is for text models, and pictures have no tokens";
    private const string NoCompiler = "TorchSharp has no graph compiler; bf16 is what speeds this trainer up";
    private const string NoTracker = "only TensorBoard is supported (report_to)";

    /// <summary>The arguments that work, in the order of <see cref="TrainingArguments"/>.</summary>
    public static IReadOnlyList<ArgumentField> Fields { get; } =
        [.. typeof(TrainingArguments).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite).Select(p => new ArgumentField(p))];

    /// <summary>Older spellings and the argument that each means.</summary>
    public static IReadOnlyDictionary<string, string> OlderSpellings { get; } = new Dictionary<string, string>
    {
        ["evaluation_strategy"] = "eval_strategy",
        ["no_cuda"] = "use_cpu",
        ["per_gpu_train_batch_size"] = "per_device_train_batch_size",
        ["per_gpu_eval_batch_size"] = "per_device_eval_batch_size",
        ["output"] = "output_dir",
        ["push_to_hub_model_id"] = "hub_model_id",
        ["push_to_hub_token"] = "hub_token",
        ["patch_dropout"] = "patch_drop_rate",
    };

    /// <summary>Arguments whose one value is what this trainer always does; another value is refused with the reason.</summary>
    public static IReadOnlyDictionary<string, RefusedArgument> Refused { get; } = new RefusedArgument[]
    {
        new("log_level_replica", OneProcess, "warning"),
        new("log_on_each_node", OneProcess, true),
        new("save_on_each_node", OneProcess, false),
        new("local_rank", OneProcess, -1, 0),
        new("ddp_backend", OneProcess),
        new("ddp_find_unused_parameters", OneProcess),
        new("ddp_bucket_cap_mb", OneProcess),
        new("ddp_broadcast_buffers", OneProcess),
        new("ddp_static_graph", OneProcess),
        new("fsdp", OneProcess, "", new JsonArray()),
        new("fsdp_min_num_params", OneProcess, 0),
        new("fsdp_config", OneProcess),
        new("fsdp_transformer_layer_cls_to_wrap", OneProcess),
        new("accelerator_config", OneProcess),
        new("parallelism_config", OneProcess),
        new("deepspeed", OneProcess),
        new("mp_parameters", OneProcess, ""),
        new("_n_gpu", OneProcess, -1, 0, 1),
        new("eval_use_gather_object", OneProcess, false),
        new("average_tokens_across_devices", OneProcess, true),
        new("tpu_num_cores", "there is no TPU support"),
        new("tpu_metrics_debug", "there is no TPU support", false),
        new("use_mps_device", "libtorch on macOS runs on the CPU here", false),
        new("past_index", NoText, -1),
        new("group_by_length", NoText, false),
        new("length_column_name", NoText, "length"),
        new("include_tokens_per_second", NoText, false),
        new("include_num_input_tokens_seen", NoText, false, "no"),
        new("neftune_noise_alpha", NoText),
        new("use_cache", NoText, false),
        new("label_names", "the labels of a picture are its class", new JsonArray("labels")),
        new("torch_compile", NoCompiler, false),
        new("torch_compile_backend", NoCompiler),
        new("torch_compile_mode", NoCompiler),
        new("torchdynamo", NoCompiler),
        new("jit_mode_eval", NoCompiler, false),
        new("use_liger_kernel", NoCompiler, false),
        new("liger_kernel_config", NoCompiler),
        new("gradient_checkpointing_kwargs", "gradient_checkpointing has one way here, in which dropout draws again as before"),
        new("activation_checkpointing", "it is gradient_checkpointing here", false),
        new("activation_checkpointing_kwargs", "gradient_checkpointing has one way here, in which dropout draws again as before"),
        new("torch_empty_cache_steps", "TorchSharp cannot empty libtorch's cache"),
        new("optim_target_modules", "it belongs to optimizers that are not here (galore, apollo)"),
        new("fp16_opt_level", "it belongs to apex; fp16 here is libtorch's own", "O1"),
        new("fp16_backend", "it belongs to apex; fp16 here is libtorch's own", "auto"),
        new("half_precision_backend", "it belongs to apex; fp16 here is libtorch's own", "auto"),
        new("save_safetensors", "weights are always written as safetensors", true),
        new("dataloader_persistent_workers", "workers are threads here and cost nothing to start", false),
        new("dataloader_multiprocessing_context", "workers are threads here"),
        new("dataloader_in_order", "batches always come in order", true),
        new("include_inputs_for_metrics", "metrics see logits and labels", false),
        new("include_for_metrics", "metrics see logits and labels", new JsonArray()),
        new("eval_do_concat_batches", "metrics always see the whole split", true),
        new("batch_eval_metrics", "metrics always see the whole split", false),
        new("use_legacy_prediction_loop", "there is one prediction loop", false),
        new("debug", "a loss that is not finite always stops the run with its step and pictures (stop_on_nan)", "", new JsonArray()),
        new("project", NoTracker, "huggingface"),
        new("trackio_space_id", NoTracker, "trackio"),
        new("trackio_bucket_id", NoTracker),
        new("trackio_static_space_id", NoTracker),
        new("ray_scope", "there is no hyperparameter search", "last"),
        new("enable_jit_checkpoint", "SIGTERM always saves a checkpoint and prints how to resume", false, true),
        new("remove_unused_columns", "a batch always holds the pictures and their labels", true, false),
        new("push_to_hub_organization", "the owner is part of hub_model_id (owner/name)"),
    }.ToDictionary(r => r.Name);

    /// <summary>All names that mean something: arguments, older spellings, and <c>adafactor</c>, which is an optimizer.</summary>
    public static IEnumerable<string> KnownNames => Fields.Select(f => f.Name).Concat(OlderSpellings.Keys).Append(AdafactorFlag);

    /// <summary>transformers 4.x's switch for the optimizer.</summary>
    internal const string AdafactorFlag = "adafactor";

    /// <summary>The argument of this name or older spelling; null where there is none.</summary>
    /// <param name="name">Name in snake case; dashes are taken for underscores.</param>
    public static ArgumentField? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var folded = name.TrimStart('-').Replace('-', '_');
        var current = OlderSpellings.GetValueOrDefault(folded, folded);
        return Fields.FirstOrDefault(f => f.Name == current);
    }
}

/// <summary>One argument: a property of <see cref="TrainingArguments"/> under its name in flags and files.</summary>
internal sealed class ArgumentField
{
    private static readonly TrainingArguments Defaults = new();
    private readonly PropertyInfo _property;

    internal ArgumentField(PropertyInfo property)
    {
        _property = property;
        Name = SnakeCase.Of(property.Name);
        Type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        IsNullable = Type != property.PropertyType
            || new NullabilityInfoContext().Create(property).ReadState == NullabilityState.Nullable;
    }

    /// <summary>Name in snake case.</summary>
    public string Name { get; }

    /// <summary>Name of the property.</summary>
    public string PropertyName => _property.Name;

    /// <summary>Type of the value, without null.</summary>
    public Type Type { get; }

    /// <summary>Whether null is a value.</summary>
    public bool IsNullable { get; }

    /// <summary>The values that are known, for an enumeration; else empty.</summary>
    public IReadOnlyList<string> Choices => Type.IsEnum ? [.. SnakeCase.Values(Type).Keys] : [];

    /// <summary>The value in a set of arguments.</summary>
    /// <param name="arguments">The arguments.</param>
    public object? ValueOf(TrainingArguments arguments) => _property.GetValue(arguments);

    /// <summary>The default.</summary>
    public object? Default => ValueOf(Defaults);

    /// <summary>Sets the value of a record that is being built.</summary>
    internal void Set(TrainingArguments arguments, object? value) => _property.SetValue(arguments, value);
}

/// <summary>An argument of the Python Trainer that cannot be changed here.</summary>
internal sealed class RefusedArgument
{
    private readonly string[] _accepted;

    /// <summary>Makes the entry.</summary>
    /// <param name="name">Name in snake case.</param>
    /// <param name="reason">Why, as half a sentence.</param>
    /// <param name="accepted">Values besides null that are what happens anyway.</param>
    internal RefusedArgument(string name, string reason, params JsonNode[] accepted)
    {
        (Name, Reason) = (name, reason);
        _accepted = [.. accepted.Select(Text)];
    }

    /// <summary>Name in snake case.</summary>
    public string Name { get; }

    /// <summary>Why, as half a sentence.</summary>
    public string Reason { get; }

    /// <summary>The sentence for a value that cannot be had; null where the value is what happens anyway.</summary>
    /// <param name="value">The value that was asked for.</param>
    public string? Refuse(JsonNode? value) => value is null || _accepted.Contains(Text(value))
        ? null
        : $"{Name} cannot be {Text(value)}: {Reason}. Leave it out.";

    private static string Text(JsonNode value) => PythonJson.Serialize(value, indent: null);
}
