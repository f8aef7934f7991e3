namespace Vizsla.Training;

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
