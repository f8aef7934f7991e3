using TorchSharp;
using Vizsla.Primitives;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Training.Losses;

/// <summary>Stops a run at the first loss or gradient that is not finite, before it reaches the weights or a checkpoint.</summary>
/// <remarks>On the CPU every value is looked at. A GPU would stall, so there the first bad step is noted on the device and read back now and then, always before a checkpoint.</remarks>
internal sealed class FiniteGuard : IDisposable
{
    private const int StepsBetweenReads = 50;
    private const int NamedPictures = 8;
    private const int None = -1;

    private readonly ImageDataset _dataset;
    private readonly bool _onCpu;
    private readonly Queue<(int Step, int[] Rows, double Rate)> _unread = new();
    private Tensor _firstBad;
    private int _step;

    public FiniteGuard(ImageDataset dataset, Device device)
    {
        (_dataset, _onCpu) = (dataset, device.type == DeviceType.CPU);
        _firstBad = tensor(None, device: device).DetachFromDisposeScope();
    }

    /// <summary>Steps that it remembers the pictures of.</summary>
    internal int RememberedSteps => _unread.Count;

    /// <summary>Notes which pictures a step takes.</summary>
    public void BeginStep(int step, int[] rows, double rate)
    {
        if (_onCpu || _unread.Count >= StepsBetweenReads)
        {
            Require();
        }

        _step = step;
        _unread.Enqueue((step, rows, rate));
    }

    /// <summary>Checks a loss or a gradient norm of the current step.</summary>
    /// <exception cref="TrainingException">On the CPU: it is not finite.</exception>
    public void Check(Tensor value)
    {
        using var scope = NewDisposeScope();
        var step = _step;
        if (!_onCpu)
        {
            var bad = where(value.isfinite().logical_or(_firstBad.ne(Kept(None))), _firstBad, tensor(step, device: _firstBad.device)).DetachFromDisposeScope();
            _firstBad.Dispose();
            _firstBad = bad;
        }
        else if (!float.IsFinite(value.to(ScalarType.Float32).item<float>()))
        {
            throw Stop(step);
        }
    }

    /// <summary>Makes sure that all steps so far were good.</summary>
    /// <exception cref="TrainingException">One was not.</exception>
    public void Require()
    {
        if (!_onCpu && _firstBad.item<int>() is var step && step != None)
        {
            throw Stop(step);
        }

        _unread.Clear();
    }

    public void Dispose() => _firstBad.Dispose();

    private TrainingException Stop(int step)
    {
        var (_, rows, rate) = _unread.First(s => s.Step == step);
        var pictures = string.Join(", ", rows.Take(NamedPictures).Select(row => $"'{_dataset[row].Name}'"));
        var more = rows.Length > NamedPictures ? $" and {rows.Length - NamedPictures} more" : "";
        return new TrainingException(
            $"The loss or its gradient is no longer a finite number at step {step}, learning rate {PythonJson.Repr(rate)}; its pictures are {pictures}{more}. "
            + "The weights of this step were not kept. Lower learning_rate, raise warmup_steps, or look at these pictures.")
        {
            Step = step,
        };
    }
}
