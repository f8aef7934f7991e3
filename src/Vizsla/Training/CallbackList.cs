using System.Text.Json.Nodes;

namespace Vizsla.Training;

/// <summary>Tells all callbacks of an event, in their order.</summary>
internal sealed class CallbackList(IEnumerable<TrainerCallback> callbacks)
{
    private readonly List<TrainerCallback> _callbacks = [.. callbacks];

    public void Tell(Action<TrainerCallback> happened) => _callbacks.ForEach(happened);

    public void Add(TrainerCallback callback) => _callbacks.Add(callback);

    /// <summary>The value of <c>stateful_callbacks</c>.</summary>
    public JsonObject SaveState(TrainerControl control)
    {
        var states = new JsonObject { [nameof(TrainerControl)] = control.ToJson() };
        foreach (var callback in _callbacks.Where(c => c.StateName is not null))
        {
            states[callback.StateName!] = callback.SaveState();
        }

        return states;
    }

    /// <summary>Gives each callback what it remembered.</summary>
    public void LoadState(JsonObject states)
    {
        foreach (var callback in _callbacks.Where(c => c.StateName is not null))
        {
            if (states[callback.StateName!] is JsonObject state)
            {
                callback.LoadState(state);
            }
        }
    }
}
