using System.Diagnostics;
using TorchSharp;
using Vizsla.Training.Callbacks;

namespace Vizsla.Tests.Training;

[Collection(TrainsAlone.Name)]
public sealed class SteadyMemoryTests
{
    private const int Steps = 1000;
    private const int WarmSteps = 200;

    // Garbage that waits for its collection and arenas that grow once; a tensor of this run's batch that leaked in every step would come to more.
    private const long AllowedGrowth = 64L << 20;

    [Fact]
    [Trait("Category", "Slow")]
    public void A_thousand_steps_hold_no_more_tensors_and_no_more_memory_than_the_first_two_hundred()
    {
        using var run = new TinyRun();
        var meter = new Meter();
        var arguments = run.Arguments() with
        {
            MaxSteps = Steps, NumTrainEpochs = new TrainingArguments().NumTrainEpochs, EvalSteps = 500, LoggingSteps = 50, SaveSteps = 500, PerDeviceTrainBatchSize = 8, SaveTotalLimit = 1,
        };

        var finished = run.Train(arguments, stopAfter: null, meter);

        Assert.True(finished);
        Assert.Equal(meter.Tensors[WarmSteps], meter.Tensors[Steps - 1]);
        Assert.InRange(meter.Memory[Steps - 1] - meter.Memory[WarmSteps], long.MinValue, AllowedGrowth);
    }

    private sealed class Meter : TrainerCallback
    {
        public Dictionary<int, long> Tensors { get; } = [];

        public Dictionary<int, long> Memory { get; } = [];

        public override void OnStepEnd(TrainerContext context)
        {
            if (context.State.GlobalStep is WarmSteps or Steps - 1)
            {
                using var process = Process.GetCurrentProcess();
                Tensors[context.State.GlobalStep] = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
                Memory[context.State.GlobalStep] = process.WorkingSet64;
            }
        }
    }
}
