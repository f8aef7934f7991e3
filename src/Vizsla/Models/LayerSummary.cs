namespace Vizsla.Models;

/// <summary>One line of a model's summary: a layer, or several under a common name.</summary>
/// <param name="Name">Name in the weight file, without <c>weight</c> or <c>bias</c>.</param>
/// <param name="Kind">torch's name of the layer, such as <c>Conv2d</c>; <c>Parameter</c> for a parameter that belongs to none.</param>
/// <param name="OutputShape">Shape of what it makes of one picture, batch axis first; of a parameter, its own.</param>
/// <param name="ParameterCount">Its parameters.</param>
/// <param name="ProductCount">Multiplications for one picture.</param>
public sealed record LayerSummary(string Name, string Kind, IReadOnlyList<long> OutputShape, long ParameterCount, long ProductCount);
