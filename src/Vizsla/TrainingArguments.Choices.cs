using System.Text.Json.Nodes;
using Vizsla.Training.Checkpoints;
using Vizsla.Training.Optimizers;
using Vizsla.Training.Schedules;

namespace Vizsla;

/// <summary>When something happens that happens again and again.</summary>
/// <remarks>Source: transformers <c>IntervalStrategy</c>.</remarks>
public enum IntervalStrategy
{
    /// <summary>Never.</summary>
    No,

    /// <summary>Every so many optimizer steps.</summary>
    Steps,

    /// <summary>At the end of each epoch.</summary>
    Epoch,
}

/// <summary>When a checkpoint is saved.</summary>
/// <remarks>Source: transformers <c>SaveStrategy</c>.</remarks>
public enum SaveStrategy
{
    /// <summary>Never.</summary>
    No,

    /// <summary>Every so many optimizer steps, and at the end.</summary>
    Steps,

    /// <summary>At the end of each epoch.</summary>
    Epoch,

    /// <summary>After each evaluation that is better than all before.</summary>
    Best,
}

/// <summary>How the learning rate goes from step to step.</summary>
/// <remarks>Source: transformers <c>SchedulerType</c>.</remarks>
public enum SchedulerType
{
    /// <summary>Straight down to 0.</summary>
    Linear,

    /// <summary>Half a cosine down to 0.</summary>
    Cosine,

    /// <summary>Cosines that start over, <c>num_cycles</c> times.</summary>
    CosineWithRestarts,

    /// <summary>A power of the remaining share, down to <c>lr_end</c>.</summary>
    Polynomial,

    /// <summary>The base rate throughout; warm-up steps are ignored.</summary>
    Constant,

    /// <summary>The base rate after the warm-up.</summary>
    ConstantWithWarmup,

    /// <summary>One over the root of the step.</summary>
    InverseSqrt,

    /// <summary>Reduced when the metric stops improving.</summary>
    ReduceLrOnPlateau,

    /// <summary>A cosine down to <c>min_lr</c> or <c>min_lr_rate</c>.</summary>
    CosineWithMinLr,

    /// <summary>As <see cref="CosineWithMinLr"/>, warming up from <c>warmup_lr_rate</c>.</summary>
    CosineWarmupWithMinLr,

    /// <summary>Warm-up, a plateau, then <c>num_decay_steps</c> of decay.</summary>
    WarmupStableDecay,
}

/// <summary>The optimizers.</summary>
/// <remarks>Source: transformers <c>OptimizerNames</c>; Adam, NAdam and RAdam are torch's and have no name there.</remarks>
public enum OptimizerName
{
    /// <summary>AdamW.</summary>
    AdamwTorch,

    /// <summary>AdamW, all parameters in one call.</summary>
    AdamwTorchFused,

    /// <summary>Adam with weight decay added to the gradient.</summary>
    Adam,

    /// <summary>NAdam.</summary>
    Nadam,

    /// <summary>RAdam.</summary>
    Radam,

    /// <summary>Stochastic gradient descent; <c>momentum</c>, <c>dampening</c> and <c>nesterov</c> by <c>optim_args</c>.</summary>
    Sgd,

    /// <summary>RMSprop.</summary>
    Rmsprop,

    /// <summary>Adagrad.</summary>
    Adagrad,

    /// <summary>Adafactor without relative steps, as the Trainer uses it.</summary>
    Adafactor,

    /// <summary>Lion (<c>lion_32bit</c>).</summary>
    Lion_32bit,

    /// <summary>The head of a frozen backbone solved to its optimum by L-BFGS (<c>lbfgs_head</c>): logistic regression whose constant, picture size and mirror images cross-validation on the training photos chooses.</summary>
    LbfgsHead,
}

/// <summary>Which sample comes next in an epoch.</summary>
/// <remarks>Source: <c>train_sampling_strategy</c> of transformers 5.x; balanced is ours.</remarks>
public enum TrainSamplingStrategy
{
    /// <summary>Each once, in torch's <c>randperm</c> of seed + epoch.</summary>
    Random,

    /// <summary>Each once, in the order of the split.</summary>
    Sequential,

    /// <summary>With replacement, every class as likely as any other.</summary>
    Balanced,
}

/// <summary>What of a run goes to the Hub, and when.</summary>
/// <remarks>Source: transformers <c>HubStrategy</c>.</remarks>
public enum HubStrategy
{
    /// <summary>The model and the files of the run, once, at the end.</summary>
    End,

    /// <summary>The model and the files of the run at every save, and at the end.</summary>
    EverySave,

    /// <summary>As <see cref="EverySave"/>, with the last checkpoint in <c>last-checkpoint</c>, to go on from elsewhere.</summary>
    Checkpoint,

    /// <summary>As <see cref="EverySave"/>, with every checkpoint under its name.</summary>
    AllCheckpoints,
}

/// <summary>Where augmentations draw from.</summary>
public enum DataRng
{
    /// <summary>A generator of each sample's own, keyed by (seed, epoch, row).</summary>
    Sample,

    /// <summary>libtorch's one global generator, in the order in which Python's loader without workers draws from it.</summary>
    Torch,
}

/// <summary>How several processes share the pictures of an epoch.</summary>
/// <remarks>In both, a step takes <c>per_device_train_batch_size</c> pictures of each process, times <c>gradient_accumulation_steps</c>; consecutive batches of the order go to the ranks in turn.</remarks>
public enum DistributedOrder
{
    /// <summary>What is left at the end of an epoch is shared, so that each picture counts once: with as many pictures a step, the same run for any number of processes.</summary>
    Same,

    /// <summary>As Python's Trainer: what is left is filled up with pictures from the beginning of the epoch, in evaluations too, until each process has a full batch.</summary>
    Accelerate,
}

/// <summary>In which precision several processes add up their gradients.</summary>
/// <remarks>Source: accelerate's <c>DistributedDataParallelKwargs.comm_hook</c>, torch's <c>bf16_compress_hook</c>.</remarks>
public enum DdpCommHook
{
    /// <summary>In float32.</summary>
    No,

    /// <summary>Each gradient rounded to bfloat16 on the way: half the bytes. Summed in float32 and rounded once more, where torch rounds each partial sum.</summary>
    Bf16,
}

/// <summary>How much each class counts in the loss.</summary>
/// <remarks>Source: the <c>weight</c> of torch's <c>CrossEntropyLoss</c>; balanced as scikit-learn's <c>compute_class_weight</c>.</remarks>
public sealed class ClassWeights
{
    private readonly IReadOnlyDictionary<string, double>? _byName;
    private readonly IReadOnlyList<double>? _byIndex;

    private ClassWeights(IReadOnlyList<double>? byIndex, IReadOnlyDictionary<string, double>? byName) => (_byIndex, _byName) = (byIndex, byName);

    /// <summary>Samples / (classes * samples of the class): every class counts alike in total.</summary>
    public static ClassWeights Balanced { get; } = new(null, null);

    /// <summary>One weight per class, in the order of the model's labels.</summary>
    /// <param name="weights">Weights of 0 or more, one per class.</param>
    public static ClassWeights Of(params IReadOnlyList<double> weights) => new(weights, null);

    /// <summary>Weights of the named classes; the others weigh 1.</summary>
    /// <param name="weights">Weights of 0 or more by class name.</param>
    public static ClassWeights Of(IReadOnlyDictionary<string, double> weights) => new(null, weights);

    /// <summary>The weights as numbers.</summary>
    /// <param name="labels">The model's class names.</param>
    /// <param name="counts">Training samples of each class.</param>
    /// <returns>One weight per class.</returns>
    /// <exception cref="ArgumentException">The weights do not fit the classes, or one is negative.</exception>
    public IReadOnlyList<double> Resolve(IReadOnlyList<string> labels, IReadOnlyList<long> counts)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(counts);
        if (_byIndex is null && _byName is null)
        {
            return [.. counts.Select(count => count == 0 ? 0.0 : counts.Sum() / ((double)counts.Count(c => c > 0) * count))];
        }

        if (_byIndex is not null && _byIndex.Count != labels.Count)
        {
            throw new ArgumentException($"class_weights has {_byIndex.Count} numbers, but there are {labels.Count} classes; give one per class, or 'balanced'.");
        }

        if (_byName?.Keys.FirstOrDefault(name => !labels.Contains(name)) is { } unknown)
        {
            throw new ArgumentException($"class_weights names the class '{unknown}', which is not among the model's: {string.Join(", ", labels)}.");
        }

        var weights = _byIndex ?? [.. labels.Select(label => _byName!.GetValueOrDefault(label, 1.0))];
        return weights.All(w => w >= 0 && double.IsFinite(w)) && weights.Any(w => w > 0)
            ? weights
            : throw new ArgumentException("class_weights must be finite numbers of 0 or more, not all 0.");
    }

    /// <summary>The value in <c>training_args.json</c>: <c>"balanced"</c>, a list, or a map.</summary>
    internal JsonNode ToJson()
    {
        if (_byIndex is not null)
        {
            return new JsonArray([.. _byIndex.Select(w => (JsonNode)JsonValue.Create(w))]);
        }

        return _byName is null
            ? JsonValue.Create("balanced")
            : new JsonObject(_byName.Select(w => KeyValuePair.Create(w.Key, (JsonNode?)JsonValue.Create(w.Value))));
    }
}
