using System.Text.Json.Nodes;
using Vizsla.Models;
using Vizsla.Models.Weights;
using Vizsla.Training.Schedules;

namespace Vizsla.Training.PythonState;

/// <summary>The schedule's state in Python's <c>scheduler.pt</c>.</summary>
/// <remarks>Source: <c>LambdaLR.state_dict</c>, <c>ReduceLROnPlateau.state_dict</c>. Parity: keys, types and pickle operations as torch 2.13 writes them.</remarks>
internal static class PythonScheduler
{
    /// <summary>The file's name in a checkpoint.</summary>
    public const string FileName = "scheduler.pt";

    /// <summary>Writes a schedule's state.</summary>
    /// <param name="path">The file.</param>
    /// <param name="schedule">The schedule.</param>
    /// <param name="type">Which one it is.</param>
    public static void Write(string path, Schedule schedule, SchedulerType type) =>
        TorchFile.Write(path, schedule is PlateauSchedule plateau ? OfPlateau(plateau) : OfFactors(schedule, type));

    /// <summary>Reads the state for <see cref="Schedule.LoadState"/>.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="TrainingException">The file is damaged or holds something else.</exception>
    public static JsonObject Read(string path)
    {
        try
        {
            using var file = PickleCheckpoint.Open(path);
            var state = new PickleValues(path, file.Root).Map("last_epoch", "_last_lr");
            return new JsonObject(state.Items().Where(i => i.Name != "lr_lambdas").Select(i => KeyValuePair.Create(i.Name, ToJson(i.Value, state))));
        }
        catch (ModelLoadException e)
        {
            throw new TrainingException($"The schedule's state '{path}' cannot be read: {e.Message}", e);
        }
    }

    private static OrderedDictionary<object, object?> OfFactors(Schedule schedule, SchedulerType type) => new()
    {
        ["base_lrs"] = Floats(schedule.BaseRates),
        ["last_epoch"] = schedule.StepCount,
        ["_step_count"] = schedule.StepCount + 1,
        ["_is_initial"] = false,
        ["_get_lr_called_within_step"] = false,
        ["_last_lr"] = Floats(schedule.Rates),

        // The constant schedule is a plain function in Python, of which nothing is kept; the others are partial objects without attributes.
        ["lr_lambdas"] = schedule.Rates.Select(_ => type == SchedulerType.Constant ? null : (object?)new OrderedDictionary<object, object?>()).ToList(),
    };

    private static OrderedDictionary<object, object?> OfPlateau(PlateauSchedule schedule)
    {
        var (options, state) = (schedule.Options, schedule.SaveState());
        object leastRate = options.LeastRate == 0 ? 0 : options.LeastRate;
        return new()
        {
            ["factor"] = options.Factor,
            ["default_min_lr"] = leastRate,
            ["min_lrs"] = schedule.Rates.Select(_ => (object?)leastRate).ToList(),
            ["patience"] = options.Patience,
            ["cooldown"] = options.Cooldown,
            ["eps"] = options.Epsilon,
            ["last_epoch"] = schedule.StepCount,
            ["_last_lr"] = Floats(schedule.Rates),
            ["mode_worse"] = options.GreaterIsBetter ? double.NegativeInfinity : double.PositiveInfinity,
            ["mode"] = options.GreaterIsBetter ? "max" : "min",
            ["threshold"] = options.Threshold,
            ["threshold_mode"] = options.IsAbsolute ? "abs" : "rel",
            ["best"] = state["best"]!.GetValue<double>(),
            ["cooldown_counter"] = state["cooldown_counter"]!.GetValue<int>(),
            ["num_bad_epochs"] = state["num_bad_epochs"]!.GetValue<int>(),
        };
    }

    private static List<object?> Floats(IEnumerable<double> values) => [.. values.Select(v => (object?)v)];

    private static JsonNode? ToJson(object? value, PickleValues state) => value switch
    {
        null => null,
        bool flag => JsonValue.Create(flag),
        long whole and >= int.MinValue and <= int.MaxValue => JsonValue.Create((int)whole),
        double number => JsonValue.Create(number),
        string text => JsonValue.Create(text),
        List<object?> list => new JsonArray([.. list.Select(item => ToJson(item is long whole ? (double)whole : item, state))]),
        _ => throw state.Refuse("numbers and texts"),
    };
}
