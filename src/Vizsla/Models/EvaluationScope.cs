using TorchSharp;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models;

/// <summary>The use of a network by one thread at a time, in evaluation mode and in its weights' own precision; each of its modules is left in the mode that it was in.</summary>
/// <remarks>A thread that has a scope may open another, so that a callback predicts in the middle of a training.</remarks>
internal sealed class EvaluationScope : IDisposable
{
    private readonly ClassificationNetwork _network;
    private readonly List<(nn.Module Module, bool IsTraining)> _modes = [];
    private readonly IDisposable? _fullPrecision = Autocast.Suspend(DeviceType.CPU);

    private EvaluationScope(ClassificationNetwork network)
    {
        _network = network;
        Collect(network);
        if (_modes.Any(m => m.IsTraining))
        {
            network.eval();
        }
        else
        {
            _modes.Clear();
        }
    }

    /// <summary>Waits for the network, and takes it.</summary>
    /// <param name="network">The network.</param>
    /// <exception cref="ObjectDisposedException">The network is disposed.</exception>
    public static EvaluationScope Enter(ClassificationNetwork network)
    {
        network.Gate.Enter();
        try
        {
            ObjectDisposedException.ThrowIf(network.IsDisposed, network);
            return new EvaluationScope(network);
        }
        catch
        {
            network.Gate.Exit();
            throw;
        }
    }

    /// <summary>Puts the modes back and lets the next caller in.</summary>
    public void Dispose()
    {
        _fullPrecision?.Dispose();
        // A mode given to a module reaches all below it, so parents come first.
        foreach (var (module, isTraining) in _modes)
        {
            module.train(isTraining);
        }

        _network.Gate.Exit();
    }

    private void Collect(nn.Module module)
    {
        _modes.Add((module, module.training));
        foreach (var child in module.children())
        {
            Collect(child);
        }
    }
}
