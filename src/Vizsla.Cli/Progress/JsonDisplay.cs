using System.Text.Json.Nodes;
using Vizsla.Primitives;
using Vizsla.Training.Callbacks;

namespace Vizsla.Cli.Progress;

/// <summary>One JSON object a line on standard output, for programs that watch.</summary>
internal sealed class JsonDisplay(CommandConsole console, TimeProvider time) : TrainingDisplay
{
    private readonly RunMeter _meter = new(time);

    public override void OnTrainBegin(TrainerContext context)
    {
        _meter.Begin(context.State.GlobalStep);
        Write(context, "train_begin", new JsonObject { ["num_train_epochs"] = context.State.NumTrainEpochs });
    }

    public override void OnStepEnd(TrainerContext context) => _meter.Step(context.State.GlobalStep, context.Rows.Count);

    public override void OnPredictionStep(TrainerContext context, int batch, int batchCount) => _meter.Skip();

    public override void OnLog(TrainerContext context, JsonObject row)
    {
        var values = row.DeepClone().AsObject();
        values.Remove("step");
        values.Remove("epoch");
        var line = new JsonObject { ["values"] = values };
        if (row.ContainsKey("loss") && _meter.PicturesPerSecond is { } rate)
        {
            line["images_per_second"] = Math.Round(rate, 2);
            line["seconds_left"] = _meter.Left(context.State.MaxSteps) is { } left ? Math.Round(left.TotalSeconds, 1) : null;
            line["memory_bytes"] = Environment.WorkingSet;
        }

        Write(context, "log", line);
    }

    public override void OnSave(TrainerContext context, string folder)
    {
        _meter.Skip();
        Write(context, "save", new JsonObject { ["checkpoint"] = folder });
    }

    public override void OnTrainEnd(TrainerContext context) => Write(context, "train_end", new JsonObject
    {
        ["best_global_step"] = context.State.BestGlobalStep,
        ["best_metric"] = context.State.BestMetric,
    });

    public override void OnStop(TrainerContext context, string checkpoint) => Write(context, "stopped", new JsonObject { ["checkpoint"] = checkpoint });

    public override void OnFail(TrainerContext context, Exception reason) => Write(context, "failed", new JsonObject { ["reason"] = reason.Message });

    private void Write(TrainerContext context, string name, JsonObject fields)
    {
        var line = new JsonObject
        {
            ["event"] = name,
            ["time"] = time.GetUtcNow().ToString("O"),
            ["step"] = context.State.GlobalStep,
            ["max_steps"] = context.State.MaxSteps,
            ["epoch"] = context.State.Epoch,
        };
        foreach (var (key, value) in fields)
        {
            line[key] = value?.DeepClone();
        }

        console.WriteLine(PythonJson.Serialize(line, indent: null, sortKeys: false));
    }
}
