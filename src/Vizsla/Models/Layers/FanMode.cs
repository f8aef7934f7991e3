namespace Vizsla.Models.Layers;

/// <summary>Which connections of a layer its drawn weights are scaled by.</summary>
internal enum FanMode
{
    /// <summary>Those into one output; keeps the scale of the signal.</summary>
    Inputs,

    /// <summary>Those out of one input; keeps the scale of the gradient.</summary>
    Outputs,
}
