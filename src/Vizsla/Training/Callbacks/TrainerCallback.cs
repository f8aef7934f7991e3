using System.Text.Json.Nodes;

namespace Vizsla.Training.Callbacks;

/// <summary>Code that runs at the events of a run; an extension point.</summary>
/// <remarks>Events come on the training thread, in the order in which the callbacks were given. Source: transformers <c>TrainerCallback</c>.</remarks>
public abstract class TrainerCallback
{
    /// <summary>Name under <c>stateful_callbacks</c>; null, the default, keeps no state.</summary>
    public virtual string? StateName => null;

    /// <summary>What a resumed run needs to equal an uninterrupted one: <c>args</c> and <c>attributes</c>.</summary>
    public virtual JsonObject SaveState() => new() { ["args"] = new JsonObject(), ["attributes"] = new JsonObject() };

    /// <summary>Restores what <see cref="SaveState"/> gave.</summary>
    /// <param name="state">The value from the checkpoint.</param>
    public virtual void LoadState(JsonObject state)
    {
    }

    /// <summary>Before the first step, after a checkpoint was read.</summary>
    /// <param name="context">The run.</param>
    public virtual void OnTrainBegin(TrainerContext context)
    {
    }

    /// <summary>After everything, with the best weights in place where that was asked.</summary>
    /// <param name="context">The run.</param>
    public virtual void OnTrainEnd(TrainerContext context)
    {
    }

    /// <summary>After a training that was asked to stop saved its checkpoint, before the exception leaves <see cref="Trainer.Train"/>.</summary>
    /// <param name="context">The run.</param>
    /// <param name="checkpoint">Path of the checkpoint.</param>
    public virtual void OnStop(TrainerContext context, string checkpoint)
    {
    }

    /// <summary>After a training failed that had begun, before the exception leaves <see cref="Trainer.Train"/>.</summary>
    /// <param name="context">The run.</param>
    /// <param name="reason">What went wrong; an exception thrown here would take its place.</param>
    public virtual void OnFail(TrainerContext context, Exception reason)
    {
    }

    /// <summary>Before the first sample of an epoch is loaded.</summary>
    /// <param name="context">The run.</param>
    public virtual void OnEpochBegin(TrainerContext context)
    {
    }

    /// <summary>After the last step of an epoch.</summary>
    /// <param name="context">The run.</param>
    public virtual void OnEpochEnd(TrainerContext context)
    {
    }

    /// <summary>Before the forward passes of a step, its batches loaded.</summary>
    /// <param name="context">The run.</param>
    public virtual void OnStepBegin(TrainerContext context)
    {
    }

    /// <summary>After the backward pass of each micro-batch but the last of a step.</summary>
    /// <param name="context">The run, with <see cref="TrainerContext.MicroBatchLoss"/>.</param>
    public virtual void OnSubstepEnd(TrainerContext context)
    {
    }

    /// <summary>After gradients were clipped, before the optimizer steps.</summary>
    /// <param name="context">The run, with <see cref="TrainerContext.GradientNorm"/> and the last <see cref="TrainerContext.MicroBatchLoss"/>.</param>
    public virtual void OnPreOptimizerStep(TrainerContext context)
    {
    }

    /// <summary>After the optimizer and the schedule stepped; the place to set <see cref="TrainerContext.Control"/>.</summary>
    /// <param name="context">The run.</param>
    public virtual void OnStepEnd(TrainerContext context)
    {
    }

    /// <summary>After an evaluation, before the best metric is brought up to date.</summary>
    /// <param name="context">The run.</param>
    /// <param name="metrics">The metrics with their prefix.</param>
    public virtual void OnEvaluate(TrainerContext context, IReadOnlyDictionary<string, double> metrics)
    {
    }

    /// <summary>After a prediction.</summary>
    /// <param name="context">The run.</param>
    /// <param name="metrics">The metrics with their prefix.</param>
    public virtual void OnPredict(TrainerContext context, IReadOnlyDictionary<string, double> metrics)
    {
    }

    /// <summary>After a checkpoint stands whole under its name.</summary>
    /// <param name="context">The run.</param>
    /// <param name="folder">Path of the checkpoint.</param>
    public virtual void OnSave(TrainerContext context, string folder)
    {
    }

    /// <summary>After a checkpoint was removed: it was one too many, or no longer the best.</summary>
    /// <param name="context">The run.</param>
    /// <param name="folder">Path that the checkpoint had.</param>
    public virtual void OnRemove(TrainerContext context, string folder)
    {
    }

    /// <summary>After a row was added to <see cref="TrainerState.LogHistory"/>.</summary>
    /// <param name="context">The run.</param>
    /// <param name="row">The row.</param>
    public virtual void OnLog(TrainerContext context, JsonObject row)
    {
    }

    /// <summary>After each batch of an evaluation or prediction.</summary>
    /// <param name="context">The run.</param>
    /// <param name="batch">Batch from 0.</param>
    /// <param name="batchCount">Batches in all.</param>
    public virtual void OnPredictionStep(TrainerContext context, int batch, int batchCount)
    {
    }
}

/// <summary>The callbacks of a run, told of its events in their order.</summary>
/// <param name="context">The run.</param>
/// <param name="callbacks">The callbacks.</param>
internal sealed class CallbackList(TrainerContext context, IEnumerable<TrainerCallback> callbacks)
{
    private readonly List<TrainerCallback> _callbacks = [.. callbacks];

    public TrainerContext Context => context;

    public void Tell(Action<TrainerCallback> happened) => _callbacks.ForEach(happened);

    /// <summary>Adds a row to the log, with epoch and step.</summary>
    public void Log(IReadOnlyDictionary<string, double> values)
    {
        var row = new JsonObject(values.Select(v => KeyValuePair.Create(v.Key, (JsonNode?)JsonValue.Create(v.Value))))
        {
            ["epoch"] = context.State.Epoch,
            ["step"] = context.State.GlobalStep,
        };
        context.State.LogHistory.Add(row);
        Tell(c => c.OnLog(context, row));
    }

    /// <summary>The value of <c>stateful_callbacks</c>.</summary>
    public JsonObject SaveState()
    {
        var states = new JsonObject { [nameof(TrainerControl)] = context.Control.ToJson() };
        foreach (var callback in _callbacks.Where(c => c.StateName is not null))
        {
            states[callback.StateName!] = callback.SaveState();
        }

        return states;
    }

    /// <summary>Gives each callback its state back.</summary>
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
