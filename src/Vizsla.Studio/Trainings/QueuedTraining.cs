using System.Text.Json.Nodes;
using Vizsla.Studio.Runs;

namespace Vizsla.Studio.Trainings;

/// <summary>How a training of the queue stands.</summary>
internal enum QueueState
{
    /// <summary>Others come first.</summary>
    Waiting,

    /// <summary>Its process runs.</summary>
    Running,

    /// <summary>It reached its end.</summary>
    Done,

    /// <summary>It stopped with a checkpoint, as it was asked.</summary>
    Stopped,

    /// <summary>It ended with an error.</summary>
    Failed,

    /// <summary>It was taken out of the queue, or ended before it began to train.</summary>
    Canceled,

    /// <summary>Its process is gone without a word.</summary>
    Lost,
}

/// <summary>A training of the queue as it was when last looked at.</summary>
/// <param name="Id">Name of its folder in the queue.</param>
/// <param name="Run">The run's name.</param>
/// <param name="Words">The words after the program's name.</param>
/// <param name="Form">What the page asked; null for a training that goes on.</param>
/// <param name="State">How it stands.</param>
/// <param name="Reason">Why, in a sentence; null where the state says all.</param>
/// <param name="Position">From 1 among those that wait; 0 for the others.</param>
internal sealed record QueuedTraining(string Id, string Run, IReadOnlyList<string> Words, TrainingForm? Form, QueueState State, string? Reason, int Position)
{
    public bool IsEnded => State is not (QueueState.Waiting or QueueState.Running);
}

/// <summary>What a training of the queue was asked, as its folder keeps it.</summary>
/// <param name="Id">Name of its folder in the queue.</param>
/// <param name="Run">The run's name.</param>
/// <param name="Words">The words after the program's name.</param>
/// <param name="Directory">The folder that its paths are relative to.</param>
/// <param name="Form">What the page asked; null where nothing says.</param>
internal sealed record QueuedJob(string Id, string Run, IReadOnlyList<string> Words, string Directory, TrainingForm? Form)
{
    public static QueuedJob? From(string id, JsonObject file) =>
        file["words"] is JsonArray words && file["run"] is { } run && file["directory"] is { } directory
            ? new(id, JsonFile.Text(run), [.. words.Select(JsonFile.Text)], JsonFile.Text(directory),
                file["form"] is JsonObject form ? TrainingForm.From(form.Select(f => KeyValuePair.Create(f.Key, JsonFile.Text(f.Value)))) : null)
            : null;

    public JsonObject ToJson() => new()
    {
        ["run"] = Run,
        ["words"] = new JsonArray([.. Words.Select(w => (JsonNode)w)]),
        ["directory"] = Directory,
        ["form"] = Form is null ? null : new JsonObject(Form.Fields.Select(f => KeyValuePair.Create(f.Key, (JsonNode?)f.Value))),
    };
}
