using System.Text.Json.Nodes;
using Vizsla.Native;
using Vizsla.Training.Arguments;
using static TorchSharp.torch;

namespace Vizsla.Training.Losses;

/// <summary>Adds up losses on the device and reads them back only when a row is written.</summary>
/// <remarks>Source: <c>tr_loss</c> of transformers' <c>Trainer</c>: a float32 sum since the last row, a float64 sum of rows. Parity: exact.</remarks>
internal sealed class LossMeter : IDisposable
{
    private readonly Device _device;
    private readonly bool _filtersNan;
    private Tensor _sum;
    private Tensor? _kept;
    private double _total;
    private int _lastStep;
    private double? _sumHere;

    /// <param name="device">Where losses are.</param>
    /// <param name="filtersNan">Whether a loss that is not finite counts as the mean so far.</param>
    public LossMeter(Device device, bool filtersNan)
    {
        (_device, _filtersNan) = (device, filtersNan);
        _sum = Scalar(0);
    }

    /// <summary>The last step that a row was written for.</summary>
    public int LastLoggedStep => _lastStep;

    /// <summary>Adds the loss of a micro-batch.</summary>
    /// <param name="loss">A float scalar; left to the caller.</param>
    /// <param name="step">Steps done before this one.</param>
    public void Add(Tensor loss, int step)
    {
        using var scope = NewDisposeScope();
        var counted = _filtersNan ? where(loss.isfinite(), loss, _sum.Over(1 + step - _lastStep)) : loss;
        Replace(_sum.Plus(counted).DetachFromDisposeScope());
    }

    /// <summary>Adds the loss of a step of several processes.</summary>
    /// <param name="loss">That of all of them.</param>
    /// <param name="step">Steps done before this one.</param>
    /// <param name="lossHere">The mean of this process alone, where the mean of the whole run is to take it for the steps since the last row, as Python's does; null takes that of all.</param>
    public void Add(float loss, int step, double? lossHere)
    {
        using var value = tensor(loss, device: _device);
        Add(value, step);
        _sumHere = lossHere is { } here ? (_sumHere ?? 0) + here : null;
        Keep();
    }

    /// <summary>Marks a point to which <see cref="Forget"/> returns.</summary>
    public void Keep()
    {
        _kept?.Dispose();
        _kept = _sum.alias().DetachFromDisposeScope();
    }

    /// <summary>Undoes what was added since <see cref="Keep"/>, for a step that starts over.</summary>
    public void Forget() => Replace(_kept is null ? Scalar(0) : _kept.alias().DetachFromDisposeScope());

    /// <summary>Mean loss of the steps since the last row; starts over.</summary>
    /// <param name="step">Steps done.</param>
    private double TakeMean(int step)
    {
        double sum = _sum.item<float>();
        var mean = sum / (step - _lastStep);
        _total += sum;
        _lastStep = step;
        _sumHere = null;
        Replace(Scalar(0));
        Keep();
        return mean;
    }

    /// <summary>A row of the log for the steps since the last row; starts over.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="norm">Gradient norm of the last step; null where nothing is clipped.</param>
    /// <param name="rate">Learning rate of the last step; null where it is not known.</param>
    public Dictionary<string, double> TakeRow(int step, Tensor? norm, double? rate)
    {
        var row = new Dictionary<string, double> { ["loss"] = TakeMean(step) };
        if (norm is not null)
        {
            row["grad_norm"] = norm.item<float>();
        }

        if (rate is { } known)
        {
            row["learning_rate"] = known;
        }

        return row;
    }

    /// <summary>Mean loss of all steps so far.</summary>
    /// <param name="step">Steps done.</param>
    public double MeanOfAll(int step) => (_total + (_sumHere ?? _sum.item<float>())) / Math.Max(step, 0.001);

    /// <summary>What a resumed run needs.</summary>
    public JsonObject SaveState() => new() { ["sum"] = (double)_sum.item<float>(), ["total"] = _total, ["last_step"] = _lastStep };

    /// <summary>Restores what <see cref="SaveState"/> gave.</summary>
    public void LoadState(JsonObject state)
    {
        Replace(Scalar((float)(state.Number("sum") ?? 0)));
        Keep();
        _total = state.Number("total") ?? 0;
        _lastStep = state.Whole("last_step") ?? 0;
    }

    /// <summary>Starts counting at a step, for a checkpoint that does not say what came since its last row.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="total">Sum of their losses.</param>
    public void StartAt(int step, double total) => (_lastStep, _total) = (step, total);

    public void Dispose()
    {
        _sum.Dispose();
        _kept?.Dispose();
    }

    private Tensor Scalar(float value) => tensor(value, device: _device).DetachFromDisposeScope();

    private void Replace(Tensor sum)
    {
        _sum.Dispose();
        _sum = sum;
    }
}
