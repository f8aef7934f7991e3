using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>Batch normalization over channels, with running statistics for evaluation.</summary>
/// <remarks>Source: <c>torch.nn.BatchNorm2d</c>. Parity: exact.</remarks>
internal sealed class BatchNormalization : TensorLayer
{
    private const string Mean = "running_mean";
    private const string Variance = "running_var";
    private const string Count = "num_batches_tracked";

    private readonly ParameterSlot _weight;
    private readonly ParameterSlot _bias;
    private readonly double _momentum;

    /// <param name="channels">Channels of the input.</param>
    /// <param name="epsilon">Added to the variance; 1e-5 by default.</param>
    /// <param name="momentum">Share of each batch in the running statistics; 0.1 by default.</param>
    public BatchNormalization(long channels, double epsilon = 1e-5, double momentum = 0.1)
        : base(nameof(BatchNormalization))
    {
        Epsilon = epsilon;
        _momentum = momentum;
        _weight = AddParameter("weight", channels);
        _bias = AddParameter("bias", channels);
        register_buffer(Mean, zeros(channels));
        register_buffer(Variance, ones(channels));
        register_buffer(Count, zeros([], ScalarType.Int64));
        ResetParameters();
    }

    public double Epsilon { get; }

    /// <summary>The convolution that this norm can be folded into, alone or with others; null where it stands alone.</summary>
    public IFoldable? Unit { get; set; }

    public Tensor Weight => _weight.Value;

    public Tensor Bias => _bias.Value;

    public Tensor RunningMean => get_buffer(Mean)!;

    public Tensor RunningVariance => get_buffer(Variance)!;

    /// <summary>Replaces numbers by their sum over the processes whose batches are normalized together, in training; null, as it is after construction, normalizes each batch by itself.</summary>
    public Action<float[]>? SumOverProcesses { get; set; }

    /// <summary>Share of each batch in the running statistics, while they are computed anew; null, as it is after construction, takes the one of the construction.</summary>
    public double? ShareOfBatch { get; set; }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        if (Meter is not null)
        {
            return Meter.StandIn(this, input, input.shape, 0);
        }

        return training && SumOverProcesses is { } sum
            ? SharedBatchNorm.Apply(input, new(Weight, Bias, RunningMean, RunningVariance, get_buffer(Count)!), _momentum, Epsilon, sum)
            : input.BatchNorm(new(Weight, Bias, RunningMean, RunningVariance, get_buffer(Count)!), training, ShareOfBatch ?? _momentum, Epsilon);
    }

    public override void ResetParameters()
    {
        WeightInitialization.Fill(Weight, 1);
        WeightInitialization.Fill(Bias, 0);
        ResetStatistics();
    }

    /// <summary>Puts the statistics back to those of a new layer.</summary>
    public void ResetStatistics()
    {
        WeightInitialization.Fill(RunningMean, 0);
        WeightInitialization.Fill(RunningVariance, 1);
        WeightInitialization.Fill(get_buffer(Count), 0);
    }
}
