namespace Vizsla.Inference;

/// <summary>One class that a picture may show.</summary>
/// <param name="Label">Name of the class.</param>
/// <param name="Score">Probability in [0, 1], or the logit where no function was applied.</param>
/// <param name="Index">Index of the class in the model's labels.</param>
public sealed record Prediction(string Label, float Score, int Index);
