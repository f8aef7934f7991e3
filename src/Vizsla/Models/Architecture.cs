namespace Vizsla.Models;

/// <summary>One line of the table of architectures.</summary>
/// <param name="ModelType">The <c>model_type</c> of its <c>config.json</c>.</param>
/// <param name="ClassNames">Its classes in Python, the default first.</param>
/// <param name="Make">Builds the network of a configuration, without drawing weights.</param>
public sealed record Architecture(string ModelType, IReadOnlyList<string> ClassNames, Func<ModelConfiguration, ClassificationNetwork> Make);
