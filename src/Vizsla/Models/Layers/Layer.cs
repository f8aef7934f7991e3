using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>A module whose parameters and children are registered by hand, under the names of the file and in their order.</summary>
internal abstract class Layer(string name) : nn.Module<Tensor, Tensor>(name)
{
    /// <summary>Notes the layer's work in the place of doing it, while a network is measured; null otherwise.</summary>
    public LayerMeter? Meter { get; set; }

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
