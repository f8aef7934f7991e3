using System.Text.Json.Nodes;
using Vizsla.Primitives;
using Vizsla.Testing;
using Vizsla.Training.Schedules;

namespace Vizsla.Tests.Training.Schedules;

[Trait("Category", "Golden")]
public sealed class PlateauMetricGoldenTests
{
    [Fact]
    public void Every_recorded_plateau_gives_the_recorded_rates()
    {
        foreach (var recording in Recording()["plateau"]!.AsArray().Select(c => c!.AsObject()))
        {
            var schedule = LearningRateSchedules.Create(
                SchedulerType.ReduceLrOnPlateau, [recording["start"]!.GetValue<double>()], 0.1, 0, 0, recording["arguments"]!.AsObject());

            var rates = recording["values"]!.AsArray().Select(v =>
            {
                schedule.Evaluated(v!.GetValue<double>());
                return schedule.Rates[0];
            });

            Assert.Equal(recording["lr_after"]!.AsArray().Select(r => r!.GetValue<double>()), rates);
        }
    }

    private static JsonObject Recording() => (JsonObject)PythonJson.Parse(File.ReadAllText(Golden.Require("metrics", "plateau.json")))!;
}
