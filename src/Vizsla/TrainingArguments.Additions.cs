using Vizsla.Training.Data;

namespace Vizsla;

/// <content>Arguments that the Hugging Face Trainer does not have.</content>
public sealed partial record TrainingArguments
{
    /// <summary>Where augmentations draw from. Default sample: the same pictures for any number of workers and after a resume.</summary>
    public DataRng DataRng { get; init; } = DataRng.Sample;

    /// <summary>Whether a JPEG is decoded at the smallest of libjpeg's scales 1/8 to 8/8 that is not below the pipeline's leading Resize: faster, with pixels that differ from Python's. Default false.</summary>
    public bool FastDecode { get; init; }

    /// <summary>Whether a loss or gradient that is not finite ends the run with its step and pictures. Default true.</summary>
    public bool StopOnNan { get; init; } = true;

    /// <summary>Weight of each class in the loss; null, the default, weighs all alike.</summary>
    public ClassWeights? ClassWeights { get; init; }

    /// <summary>MixUp's Beta parameter; 0, the default, mixes nothing.</summary>
    public double MixupAlpha { get; init; }

    /// <summary>CutMix's Beta parameter; 0, the default, cuts nothing. With MixUp each batch gets one of the two by chance.</summary>
    public double CutmixAlpha { get; init; }

    /// <summary>Parameters that do not train: <c>backbone</c>, or regular expressions searched in their names. Default none.</summary>
    public IReadOnlyList<string> Freeze { get; init; } = [];

    /// <summary>Epoch, from 0, whose start unfreezes what <see cref="Freeze"/> froze; null, the default, never.</summary>
    public int? UnfreezeAtEpoch { get; init; }

    /// <summary>Learning rate from the unfreezing on, where the schedule begins anew for the epochs that are left; null, the default, goes on with the schedule as it stands.</summary>
    public double? UnfreezeLearningRate { get; init; }

    /// <summary>Whether batch norms keep their statistics and normalize by them in training: true all of them, false none, not even frozen ones; null, the default, those that are frozen.</summary>
    public bool? FreezeBatchNorm { get; init; }

    /// <summary>Factor of the learning rate from one layer to the one below it, in (0, 1]. Default 1: all layers learn alike.</summary>
    public double LayerDecay { get; init; } = 1.0;

    /// <summary>Learning rates by regular expression of the parameter name, the first match holding; the others use <see cref="LearningRate"/>. Default none.</summary>
    public IReadOnlyDictionary<string, double> ParameterLearningRates { get; init; } = new Dictionary<string, double>();

    /// <summary>Decay of a moving average of the weights, in (0, 1), which is then evaluated and saved; 0, the default, keeps none.</summary>
    public double EmaDecay { get; init; }

    /// <summary>Last epochs of the run whose weights at their ends are averaged, with statistics of batch norms computed anew; the run ends with that average, which is evaluated as <c>swa_...</c>. Default 0: none. Source: <c>torch.optim.swa_utils</c>.</summary>
    public int SwaEpochs { get; init; }

    /// <summary>Folder or Hub name of a model of the same classes whose softened scores are learnt beside the labels; null, the default, learns the labels alone.</summary>
    public string? Teacher { get; init; }

    /// <summary>Share of the teacher's scores in the loss, 0 to 1. Default 0.5; transformers' guide: <c>lambda_param</c>.</summary>
    public double DistillationAlpha { get; init; } = 0.5;

    /// <summary>What the scores of teacher and student are divided by before they are compared, above 0. Default 5.</summary>
    public double Temperature { get; init; } = 5.0;

    /// <summary>Evaluations without improvement after which training stops; null, the default, never. Those before <see cref="UnfreezeAtEpoch"/> do not count.</summary>
    public int? EarlyStoppingPatience { get; init; }

    /// <summary>Least change of the metric that counts as improvement. Default 0.</summary>
    public double EarlyStoppingThreshold { get; init; }

    /// <summary>Share of the patches of a Vision Transformer that each training forward pass leaves out, other ones of each picture, at least 0 and below 1; makes steps faster. Default 0.</summary>
    public double PatchDropRate { get; init; }

    /// <summary>
    /// Whether a frozen backbone runs once per picture and its features are kept, until it is unfrozen. Null, the default, does so where it changes no number;
    /// true does so also where the training transform is random, with the transform of the evaluation split in its place while the features are used.
    /// </summary>
    public bool? FeatureCache { get; init; }

    /// <summary>How several processes share the pictures of an epoch. Default same: as one process would take them.</summary>
    public DistributedOrder DistributedOrder { get; init; } = DistributedOrder.Same;

    /// <summary>In which precision several processes add up their gradients. Default no: float32. accelerate: <c>comm_hook</c>.</summary>
    public DdpCommHook DdpCommHook { get; init; }

    /// <summary>
    /// Whether batch norms of several processes normalize by the pictures of all of them together, as one process would, in the place of each by its own. Default false.
    /// Source: torch <c>SyncBatchNorm</c>; Lightning's <c>sync_batchnorm</c>.
    /// </summary>
    public bool SyncBatchNorm { get; init; }

    /// <summary>Whether checkpoints also hold <c>optimizer.pt</c> and <c>scheduler.pt</c> as Python reads them. Default false.</summary>
    public bool SavePythonState { get; init; }
}
