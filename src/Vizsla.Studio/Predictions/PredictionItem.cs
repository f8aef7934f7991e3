namespace Vizsla.Studio.Predictions;

/// <summary>A picture on the page and what became of it.</summary>
/// <param name="name">The file's name.</param>
/// <param name="id">Its name in the store; null when it was refused.</param>
/// <param name="problem">Why it was refused.</param>
public sealed class PredictionItem(string name, string? id, string? problem)
{
    /// <summary>The file's name.</summary>
    public string Name { get; } = name;

    /// <summary>Its name in the store; null when it was refused.</summary>
    public string? Id { get; } = id;

    /// <summary>Why there is no answer.</summary>
    public string? Problem { get; private set; } = problem;

    /// <summary>The answer, once there is one.</summary>
    public PictureAnswer? Answer { get; private set; }

    /// <summary>Whether the answer is on its way.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>The question was asked.</summary>
    public void Begin() => (IsWaiting, Problem) = (true, null);

    /// <summary>The answer is there.</summary>
    /// <param name="answer">The answer.</param>
    public void Finish(PictureAnswer answer) => (IsWaiting, Answer) = (false, answer);

    /// <summary>There will be none.</summary>
    /// <param name="problem">Why.</param>
    public void Fail(string problem) => (IsWaiting, Answer, Problem) = (false, null, problem);
}
