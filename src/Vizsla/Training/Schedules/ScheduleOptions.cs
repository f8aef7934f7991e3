using System.Text.Json.Nodes;
using Vizsla.Primitives;

namespace Vizsla.Training.Schedules;

/// <summary>Reads <c>lr_scheduler_kwargs</c> and notes which names a schedule knows.</summary>
internal sealed class ScheduleOptions(SchedulerType type, JsonObject? options)
{
    private readonly List<string> _known = [];

    public double? Optional(string name)
    {
        _known.Add(name);
        try
        {
            return options?.Number(name);
        }
        catch (FormatException)
        {
            throw new ArgumentException($"lr_scheduler_kwargs: '{name}' is {options![name]!.ToJsonString()}, expected a number.");
        }
    }

    public double Number(string name, double otherwise) => Optional(name) ?? otherwise;

    public double Required(string name) =>
        Optional(name) ?? throw new ArgumentException($"lr_scheduler_kwargs: the schedule '{Name}' needs '{name}'.");

    public string Choice(string name, string otherwise, params string[] choices)
    {
        _known.Add(name);
        var value = options?[name] is { } given ? given.ToString() : otherwise;
        return choices.Contains(value)
            ? value
            : throw new ArgumentException($"lr_scheduler_kwargs: '{name}' is '{value}'. Known: {string.Join(", ", choices)}.{Suggestion.DidYouMean(value, choices)}");
    }

    /// <summary>The least rate as a share of the learning rate, from <c>min_lr</c> or <c>min_lr_rate</c>.</summary>
    public double LeastShare(double rate) => (Optional("min_lr"), Optional("min_lr_rate")) switch
    {
        (not null, not null) => throw new ArgumentException("lr_scheduler_kwargs: give 'min_lr' or 'min_lr_rate', not both."),
        ({ } least, null) => least / rate,
        (null, { } share) => share,
        _ => throw new ArgumentException($"lr_scheduler_kwargs: the schedule '{Name}' needs 'min_lr' or 'min_lr_rate'."),
    };

    /// <exception cref="ArgumentException">A name was given that the schedule never asked for.</exception>
    public void RefuseOthers()
    {
        if (options?.Select(o => o.Key).FirstOrDefault(key => !_known.Contains(key)) is { } unknown)
        {
            var known = _known.Count == 0 ? "none" : string.Join(", ", _known);
            throw new ArgumentException($"lr_scheduler_kwargs: the schedule '{Name}' does not know '{unknown}'. Known: {known}.{Suggestion.DidYouMean(unknown, _known)}");
        }
    }

    private string Name => SnakeCase.Of(type);
}
