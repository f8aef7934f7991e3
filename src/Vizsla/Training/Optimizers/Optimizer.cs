using static TorchSharp.torch;

namespace Vizsla.Training.Optimizers;

/// <summary>Moves parameters along their gradients and remembers what it needs to do so; an extension point.</summary>
/// <remarks>Parameters without a gradient are passed over, as in torch. Source: <c>torch.optim.Optimizer</c>.</remarks>
public abstract class Optimizer : IDisposable
{
    private readonly Dictionary<string, ParameterState> _states = new(StringComparer.Ordinal);

    /// <summary>Makes an optimizer.</summary>
    /// <param name="groups">The parameters; the network must already be on its device.</param>
    protected Optimizer(IReadOnlyList<ParameterGroup> groups) => Groups = groups;

    /// <summary>The parameters by rate and decay.</summary>
    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>What is remembered of each parameter that has had a step, by parameter name.</summary>
    public IReadOnlyDictionary<string, ParameterState> States => _states;

    /// <summary>The numbers that every group shares, under torch's names: <c>betas</c>, <c>eps</c>, <c>momentum</c> ...</summary>
    public abstract IReadOnlyDictionary<string, object?> Options { get; }

    /// <summary>The gradients that there are, in the order of the groups; the parameters keep them.</summary>
    internal IReadOnlyList<Tensor> Gradients => [.. Groups.SelectMany(g => g.Parameters).Select(p => p.Value.grad).OfType<Tensor>()];

    /// <summary>Takes one step with the gradients as they are.</summary>
    public abstract void Step();

    /// <summary>Takes one step at given learning rates.</summary>
    /// <param name="rates">Learning rate of each group.</param>
    internal void Step(IReadOnlyList<double> rates)
    {
        for (var group = 0; group < Groups.Count; group++)
        {
            Groups[group].LearningRate = rates[group];
        }

        Step();
    }

    /// <summary>Clears all gradients.</summary>
    public void ZeroGradients()
    {
        foreach (var (_, parameter) in Groups.SelectMany(g => g.Parameters))
        {
            parameter.grad = null;
        }
    }

    /// <summary>Puts back what a checkpoint remembers of a parameter.</summary>
    /// <param name="name">Name of the parameter.</param>
    /// <param name="state">The state, which the optimizer owns from here on.</param>
    public void Restore(string name, ParameterState state)
    {
        if (_states.Remove(name, out var previous))
        {
            previous.Dispose();
        }

        _states.Add(name, state);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Disposes what is remembered.</summary>
    /// <param name="disposing">True when called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
        foreach (var state in _states.Values)
        {
            state.Dispose();
        }

        _states.Clear();
    }

    /// <summary>What is remembered of a parameter; made empty at first.</summary>
    /// <param name="name">Name of the parameter.</param>
    protected ParameterState StateOf(string name)
    {
        if (!_states.TryGetValue(name, out var state))
        {
            _states.Add(name, state = new ParameterState());
        }

        return state;
    }
}

/// <summary>An optimizer that moves one parameter after the other.</summary>
internal abstract class SingleTensorOptimizer(IReadOnlyList<ParameterGroup> groups) : Optimizer(groups)
{
    public override void Step()
    {
        using var noGradient = no_grad();
        foreach (var group in Groups)
        {
            foreach (var (name, parameter) in group.Parameters)
            {
                using var scope = NewDisposeScope();
                if (parameter.grad is { } gradient)
                {
                    var state = StateOf(name);
                    state.Step++;
                    Update(group, parameter, gradient, state);
                }
            }
        }
    }

    /// <summary>Moves one parameter; runs without gradient inside a dispose scope.</summary>
    /// <param name="group">Rate and decay.</param>
    /// <param name="parameter">The parameter, changed in place.</param>
    /// <param name="gradient">Its gradient, left as it is.</param>
    /// <param name="state">What is remembered; its step count has this step already.</param>
    protected abstract void Update(ParameterGroup group, Tensor parameter, Tensor gradient, ParameterState state);
}

/// <summary>What an optimizer remembers of one parameter.</summary>
public sealed class ParameterState : IDisposable
{
    private readonly SortedDictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);

    /// <summary>Steps that this parameter has taken.</summary>
    public long Step { get; set; }

    /// <summary>The tensors under torch's names, such as <c>exp_avg</c>.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors => _tensors;

    /// <summary>A tensor of this name, made of zeros at first; the state owns it.</summary>
    /// <param name="name">torch's name of the tensor.</param>
    /// <param name="parameter">Gives shape, type and device.</param>
    public Tensor Zeros(string name, Tensor parameter) => GetOrAdd(name, () => zeros_like(parameter));

    /// <summary>A tensor of this name, made by <paramref name="make"/> at first; the state owns it.</summary>
    /// <param name="name">torch's name of the tensor.</param>
    /// <param name="make">Makes the first value.</param>
    public Tensor GetOrAdd(string name, Func<Tensor> make)
    {
        ArgumentNullException.ThrowIfNull(make);
        if (!_tensors.TryGetValue(name, out var tensor))
        {
            _tensors.Add(name, tensor = make().DetachFromDisposeScope());
        }

        return tensor;
    }

    /// <summary>Gives a tensor to the state, which owns it from here on.</summary>
    /// <param name="name">torch's name of the tensor.</param>
    /// <param name="tensor">The tensor.</param>
    public void Add(string name, Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        _tensors.Add(name, tensor.DetachFromDisposeScope());
    }

    /// <summary>Disposes the tensors.</summary>
    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
        {
            tensor.Dispose();
        }

        _tensors.Clear();
    }
}
