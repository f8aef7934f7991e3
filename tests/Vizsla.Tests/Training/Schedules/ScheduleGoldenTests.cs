using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Vizsla.Primitives;
using Vizsla.Testing;
using Vizsla.Training.Arguments;
using Vizsla.Training.Schedules;

namespace Vizsla.Tests.Training.Schedules;

[Trait("Category", "Golden")]
public sealed partial class ScheduleGoldenTests
{
    private const double RateTolerance = 1e-12;

    [Fact]
    public void Every_recorded_schedule_gives_the_recorded_rates()
    {
        foreach (var file in Directory.EnumerateFiles(Golden.Require("schedules"), "*.json").Where(f => Read(f).ContainsKey("warmup_steps")))
        {
            var recording = Read(file);
            var rate = recording["learning_rate"]!.GetValue<double>();
            foreach (var (name, rates) in recording["cases"]!.AsObject())
            {
                var (type, options) = Parse(name);

                // get_scheduler passes no warm-up to "constant".
                var schedule = Schedule(type, options, rate, (int)recording["warmup_steps"]!.GetValue<long>(), (int)recording["steps"]!.GetValue<long>());

                foreach (var (expected, step) in rates!.AsArray().Select((r, i) => (r!.GetValue<double>(), i)))
                {
                    Assert.True(Math.Abs(schedule.Rates[0] - expected) <= RateTolerance, $"{name}, step {step}: {schedule.Rates[0]:R}, expected {expected:R}");
                    schedule.Step();
                }
            }
        }
    }

    private static Schedule Schedule(SchedulerType type, JsonObject options, double rate, int warmup, int steps) =>
        LearningRateSchedules.Create(type, [rate], rate, warmup, steps, options);

    // "polynomial(lr_end=1e-5,power=2)"
    private static (SchedulerType Type, JsonObject Options) Parse(string name)
    {
        var parts = CaseName().Match(name);
        var options = parts.Groups["options"].Value.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(o => o.Split('='))
            .Select(o => KeyValuePair.Create(o[0], (JsonNode?)JsonValue.Create(double.Parse(o[1], CultureInfo.InvariantCulture))));
        return ((SchedulerType)SnakeCase.Values(typeof(SchedulerType))[parts.Groups["name"].Value], new JsonObject(options));
    }

    private static JsonObject Read(string file) => (JsonObject)PythonJson.Parse(File.ReadAllText(file))!;

    [GeneratedRegex(@"^(?<name>\w+)(\((?<options>.*)\))?$")]
    private static partial Regex CaseName();
}
