using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>A module that only gives its children a common name.</summary>
internal sealed class Container() : nn.Module(nameof(Container));
