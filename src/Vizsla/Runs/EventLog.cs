using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Vizsla.Primitives;
using Vizsla.Training.Callbacks;

namespace Vizsla.Runs;

/// <summary>Writes what happens to <c>events.jsonl</c>, one object a line, as it happens; docs/run-folder.md lists the events.</summary>
/// <remarks>Safe to write from several threads. A line is written in one call and never changed, so a reader that follows the file sees whole lines but perhaps the last.</remarks>
internal sealed class EventLog(string folder, TimeProvider clock) : TrainerCallback
{
    private readonly Lock _writing = new();
    private readonly string _path = Path.Combine(folder, RunFiles.Events);

    /// <summary>Writes an event of its own.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="fields">What it says.</param>
    public void Write(string name, JsonObject fields)
    {
        var line = new JsonObject { ["event"] = name, ["time"] = clock.GetUtcNow().ToString("O") };
        foreach (var (key, value) in fields)
        {
            line[key] = value?.DeepClone();
        }

        lock (_writing)
        {
            Directory.CreateDirectory(folder);
            using var file = new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
            file.Write(Encoding.UTF8.GetBytes(PythonJson.Serialize(line, indent: null, sortKeys: false) + "\n"));
        }
    }

    public override void OnTrainBegin(TrainerContext context)
    {
        EndLine();
        Write("train_begin", new JsonObject
        {
            ["step"] = context.State.GlobalStep,
            ["epoch"] = context.State.Epoch,
            ["max_steps"] = context.State.MaxSteps,
            ["num_train_epochs"] = context.State.NumTrainEpochs,
            ["resumed"] = context.State.GlobalStep > 0,
        });
    }

    public override void OnEpochBegin(TrainerContext context) => Write("epoch_begin", Place(context));

    public override void OnLog(TrainerContext context, JsonObject row)
    {
        var fields = Place(context);
        fields["values"] = row.DeepClone();
        Write("log", fields);
    }

    public override void OnSave(TrainerContext context, string folder)
    {
        var fields = Place(context);
        fields["checkpoint"] = Path.GetFileName(folder);
        fields["is_best"] = context.State.BestGlobalStep == context.State.GlobalStep;
        Write("save", fields);
    }

    public override void OnRemove(TrainerContext context, string folder) =>
        Write("remove", new JsonObject { ["step"] = context.State.GlobalStep, ["checkpoint"] = Path.GetFileName(folder) });

    public override void OnTrainEnd(TrainerContext context)
    {
        var fields = Place(context);
        fields["best_global_step"] = context.State.BestGlobalStep;
        fields["best_metric"] = context.State.BestMetric;
        Write("train_end", fields);
    }

    public override void OnStop(TrainerContext context, string checkpoint)
    {
        var fields = Place(context);
        fields["checkpoint"] = Path.GetFileName(checkpoint);
        fields["reason"] = string.Create(CultureInfo.InvariantCulture, $"asked to stop after step {context.State.GlobalStep}");
        Write("stopped", fields);
    }

    public override void OnFail(TrainerContext context, Exception reason)
    {
        var fields = Place(context);
        fields["reason"] = reason.Message;
        fields["kind"] = reason.GetType().Name;
        try
        {
            Write("failed", fields);
        }
        catch (IOException)
        {
            // A full disk may be the very reason; it is not to be hidden behind a second one.
        }
    }

    // A process that was killed may have left half a line.
    private void EndLine()
    {
        if (File.Exists(_path))
        {
            using var file = new FileStream(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            if (file.Length > 0 && file.Seek(-1, SeekOrigin.End) >= 0 && file.ReadByte() != '\n')
            {
                file.WriteByte((byte)'\n');
            }
        }
    }

    /// <summary>Step and epoch of an event.</summary>
    public static JsonObject Place(TrainerContext context) => new() { ["step"] = context.State.GlobalStep, ["epoch"] = context.State.Epoch };
}
