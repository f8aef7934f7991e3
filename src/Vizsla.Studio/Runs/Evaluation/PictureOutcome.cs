namespace Vizsla.Studio.Runs.Evaluation;

/// <summary>What a model said of one labelled picture.</summary>
/// <param name="Row">Row in the split.</param>
/// <param name="Label">True class, an index into the model's labels.</param>
/// <param name="Predicted">Likeliest class.</param>
/// <param name="Confidence">Its score.</param>
/// <param name="Loss">Negative logarithm of the true class's score.</param>
public sealed record PictureOutcome(int Row, int Label, int Predicted, double Confidence, double Loss)
{
    /// <summary>Whether the likeliest class is the true one.</summary>
    public bool IsRight => Label == Predicted;
}
