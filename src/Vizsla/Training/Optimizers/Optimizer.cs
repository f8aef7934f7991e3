namespace Vizsla.Training.Optimizers;

/// <summary>Moves parameters along their gradients and remembers what it needs to do so.</summary>
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

    /// <summary>Takes one step with the gradients as they are.</summary>
    public abstract void Step();

    /// <summary>Lets all gradients go.</summary>
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
