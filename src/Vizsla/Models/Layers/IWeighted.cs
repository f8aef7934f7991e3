using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>A layer that multiplies by a weight: linear or convolution.</summary>
internal interface IWeighted
{
    /// <summary>The weight, output channels first.</summary>
    Tensor Weight { get; }

    /// <summary>The bias; null where there is none.</summary>
    Tensor? Bias { get; }
}
