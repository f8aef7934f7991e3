using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>Where a module keeps a parameter. Moving a module to a device replaces its parameters, so the slot looks it up at each use.</summary>
internal readonly record struct ParameterSlot(nn.Module Owner, string Name)
{
    /// <summary>The parameter as it is at this moment; owned by the module.</summary>
    public Tensor Value => Owner.get_parameter(Name)!;
}
