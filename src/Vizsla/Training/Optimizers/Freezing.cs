using TorchSharp;
using Vizsla.Models;
using Vizsla.Models.Layers;
using Vizsla.Training.Arguments;
using static TorchSharp.torch;

namespace Vizsla.Training.Optimizers;

/// <summary>Parameters that do not train, for a while or for good.</summary>
/// <remarks>
/// A part of the network whose parameters are all frozen runs as in evaluation: its batch norms keep their statistics and its dropout is off, as timm's <c>freeze</c> has it.
/// Plain PyTorch lets both go on.
/// </remarks>
internal sealed class Freezing : IDisposable
{
    private readonly ClassificationNetwork _network;
    private readonly int? _unfreezeAt;
    private readonly bool? _freezesBatchNorm;
    private readonly HashSet<string> _frozen;
    private readonly bool _isAdapted;
    private bool _isFrozen;

    /// <param name="network">The network.</param>
    /// <param name="arguments">What is frozen, and until when.</param>
    /// <param name="adapted">Names of what trains of a network with an adapter: all else is frozen for good. Null for a network without.</param>
    /// <exception cref="ArgumentsException">A pattern matches nothing, or all parameters are frozen for good.</exception>
    public Freezing(ClassificationNetwork network, TrainingArguments arguments, IReadOnlySet<string>? adapted = null)
    {
        _isAdapted = adapted is not null;
        if (_isAdapted && (arguments.Freeze.Count > 0 || arguments.UnfreezeAtEpoch is not null))
        {
            throw new ArgumentsException("freeze and unfreeze_at_epoch have no effect on a model with an adapter, of which the adapter alone trains: leave them out.");
        }

        (_network, _unfreezeAt, _freezesBatchNorm) = (network, arguments.UnfreezeAtEpoch, arguments.FreezeBatchNorm);
        var names = network.named_parameters().Select(p => p.name).ToList();
        var head = network.HeadParameterNames.ToHashSet(StringComparer.Ordinal);
        var matches = arguments.Freeze.Select(pattern => (
            Pattern: pattern,
            Names: names.Where(name => pattern == "backbone" ? !head.Contains(name) : ParameterPattern.Matches(pattern, name)).ToList())).ToList();
        if (matches.FirstOrDefault(m => m.Names.Count == 0).Pattern is { } unmatched)
        {
            throw new ArgumentsException($"freeze: '{unmatched}' matches no parameter of the model. Write backbone, or a regular expression of names such as '{names[0]}' and '{names[^1]}'.");
        }

        _frozen = adapted is null ? matches.SelectMany(m => m.Names).ToHashSet(StringComparer.Ordinal) : names.Where(name => !adapted.Contains(name)).ToHashSet(StringComparer.Ordinal);
        if (_unfreezeAt is null && _frozen.Count == names.Count)
        {
            throw new ArgumentsException("freeze matches all parameters of the model: nothing would train.");
        }

        IsBackboneFrozenAtFirst = names.All(name => head.Contains(name) || _frozen.Contains(name));
    }

    /// <summary>Whether nothing but the head trains until something is unfrozen, if ever.</summary>
    public bool IsBackboneFrozenAtFirst { get; }

    /// <summary>Parameters that train at some time of the run.</summary>
    public IReadOnlySet<string> EverTrained =>
        _network.named_parameters().Select(p => p.name).Where(name => _unfreezeAt is not null || !_frozen.Contains(name)).ToHashSet(StringComparer.Ordinal);

    /// <summary>Freezes or unfreezes as an epoch begins.</summary>
    /// <param name="epoch">Epoch from 0.</param>
    public void BeginEpoch(int epoch)
    {
        _isFrozen = IsFrozenIn(epoch);
        foreach (var (name, parameter) in _network.named_parameters().Where(p => _frozen.Contains(p.name)))
        {
            parameter.requires_grad = !_isFrozen;
        }
    }

    /// <summary>Whether an epoch has something frozen.</summary>
    /// <param name="epoch">Epoch from 0.</param>
    public bool IsFrozenIn(int epoch) => _unfreezeAt is null || epoch < _unfreezeAt;

    /// <summary>Puts the network in training mode, but what is frozen in evaluation mode, and batch norms as the arguments say.</summary>
    public void SetTrainingMode()
    {
        lock (_network.Gate)
        {
            _network.train();
            if (_isAdapted)
            {
                EvaluateNorms();
            }
            else if (_isFrozen && _frozen.Count > 0)
            {
                EvaluateFrozen();
            }

            if (_freezesBatchNorm is { } freezes)
            {
                foreach (var norm in ModuleTree.Layers(_network).OfType<BatchNormalization>())
                {
                    norm.train(!freezes);
                }
            }
        }
    }

    /// <summary>Makes all parameters trainable again.</summary>
    public void Dispose()
    {
        foreach (var (_, parameter) in _network.named_parameters().Where(p => _frozen.Contains(p.name)))
        {
            parameter.requires_grad = true;
        }
    }

    // Beside an adapter the network's dropout goes on, as in Python, but statistics that no adapter's file holds stay: Python moves and then loses them.
    private void EvaluateNorms()
    {
        foreach (var (name, norm) in ModuleTree.TensorLayers(_network).Where(l => l.Layer is BatchNormalization && _frozen.Contains(l.Name + ".weight")))
        {
            norm.eval();
        }
    }

    private void EvaluateFrozen()
    {
        foreach (var (name, module) in _network.named_modules())
        {
            var owned = module.named_parameters().Select(p => $"{name}.{p.name}").ToList();
            if (owned.Count > 0 && owned.TrueForAll(_frozen.Contains))
            {
                module.eval();
            }
        }
    }
}
