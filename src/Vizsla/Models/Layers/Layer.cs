using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>A module whose parameters and children are registered by hand, under the names of the file and in their order.</summary>
internal abstract class Layer(string name) : nn.Module(name)
{
    /// <summary>Draws this layer's own parameters as torch's constructor does, from torch's global generator.</summary>
    public virtual void ResetParameters()
    {
    }

    /// <summary>Does nothing: fields are not registered a second time under their own names.</summary>
    protected override void RegisterComponents()
    {
    }

    protected T Add<T>(string path, T module)
        where T : nn.Module => ModuleTree.Add(this, path, module);

    protected ParameterSlot AddParameter(string path, params long[] shape) => ModuleTree.AddParameter(this, path, shape);
}

/// <summary>A layer that makes one tensor of another, and whose result can be changed from outside after construction.</summary>
internal abstract class TensorLayer(string name) : Layer(name)
{
    /// <summary>Changes what this layer computes; null, as it is after construction, leaves it.</summary>
    public ILayerAdapter? Adapter { get; set; }

    /// <summary>Notes the layer's work in the place of doing it, while a network is measured; null otherwise.</summary>
    public LayerMeter? Meter { get; set; }

    /// <summary>Called in each backward pass when the gradients of this layer are there, and of those that came after it; null, as it is after construction, calls nobody.</summary>
    public Action? OnBackward { get; set; }

    /// <summary>The layer's result, by its adapter where it has one.</summary>
    /// <param name="input">Its shape is told by each layer.</param>
    /// <returns>A new tensor; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        if (OnBackward is null || !input.requires_grad)
        {
            return Adapt(input);
        }

        using var marked = BackwardMark.Set(input, OnBackward);
        return Adapt(marked);
    }

    /// <summary>The layer's own result, whatever adapts it.</summary>
    public abstract Tensor Compute(Tensor input);

    private Tensor Adapt(Tensor input) => Adapter is null ? Compute(input) : Adapter.Apply(this, input);
}

/// <summary>Changes the result of a layer that is found by its name in the file, such as a low-rank adapter; no architecture knows of it.</summary>
/// <remarks>It computes with the operations of this folder, so that it is exported with the network, and takes precision, device and training mode from the layer.</remarks>
internal interface ILayerAdapter
{
    /// <summary>The adapted result.</summary>
    /// <param name="layer">The layer; <see cref="TensorLayer.Compute"/> is its own result.</param>
    /// <param name="input">The layer's input.</param>
    /// <returns>A new tensor; the caller owns it.</returns>
    Tensor Apply(TensorLayer layer, Tensor input);
}

/// <summary>A layer that multiplies by a weight: linear or convolution.</summary>
internal interface IWeighted
{
    /// <summary>The weight, output channels first.</summary>
    Tensor Weight { get; }

    /// <summary>The bias; null where there is none.</summary>
    Tensor? Bias { get; }
}

/// <summary>A module that only gives its children a common name.</summary>
internal sealed class Container() : nn.Module(nameof(Container));

/// <summary>Where a module keeps a parameter. Moving a module to a device replaces its parameters, so the slot looks it up at each use.</summary>
internal readonly record struct ParameterSlot(nn.Module Owner, string Name)
{
    /// <summary>The parameter as it is at this moment; owned by the module.</summary>
    public Tensor Value => Owner.get_parameter(Name)!;
}
