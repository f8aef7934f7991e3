using System.Text.Json.Nodes;
using Vizsla.Distributed;
using Vizsla.Primitives;
using Vizsla.Training.Checkpoints;

namespace Vizsla.Training;

/// <summary>What several processes must have alike before they train together, and what they cannot do.</summary>
internal static class ProcessChecks
{
    // What a machine may have of its own.
    private static readonly string[] s_own = ["threads", "convolutions", "versions.os"];

    /// <summary>Refuses what several processes cannot do together.</summary>
    /// <param name="processes">The processes.</param>
    /// <param name="arguments">What is asked.</param>
    /// <param name="train">The training split.</param>
    /// <exception cref="TrainingException">In each process alike.</exception>
    public static void Require(ProcessGroup processes, TrainingArguments arguments, ImageDataset train)
    {
        if (!processes.IsShared)
        {
            return;
        }

        var problem =
            arguments.Optim == OptimizerName.LbfgsHead ? "optim lbfgs_head solves the head in one process: start it without mpirun."
            : arguments is { DistributedOrder: DistributedOrder.Same, DataRng: DataRng.Torch }
                ? "data_rng torch draws from one generator in the order of loading, which several processes do not have in common: leave it out, or set distributed_order to accelerate."
            : train.Count < processes.Size ? $"There are {train.Count} training pictures for {processes.Size} processes: start no more than {train.Count}."
            : arguments is { SyncBatchNorm: true, AutoFindBatchSize: true }
                ? "sync_batch_norm normalizes the same pictures in all processes at a time, and auto_find_batch_size cuts them in each for itself: leave one of them out."
            : arguments is { SyncBatchNorm: true, DistributedOrder: DistributedOrder.Same, DataloaderDropLast: false } && Rest(processes, arguments, train) is > 0 and var rest && rest < processes.Size
                ? $"sync_batch_norm needs a picture of each process in every batch, and the last one of an epoch has {rest} for {processes.Size} processes: set dataloader_drop_last, or choose another per_device_train_batch_size."
            : null;
        if (problem is not null)
        {
            throw new TrainingException(problem);
        }
    }

    /// <summary>Refuses processes that would train with something else than rank 0.</summary>
    /// <param name="processes">The processes.</param>
    /// <param name="description">What this one would do.</param>
    /// <exception cref="TrainingException">In each process alike; names the rank and what differs first.</exception>
    public static void RequireAlike(ProcessGroup processes, RunDescription description)
    {
        if (!processes.IsShared)
        {
            return;
        }

        var all = processes.AllGather(PythonJson.Serialize(description.Json, indent: null)).Select(text => Flat("", PythonJson.Parse(text)).ToList()).ToList();
        for (var rank = 1; rank < all.Count; rank++)
        {
            var first = all[0].ToDictionary(v => v.Name, v => v.Value);
            var other = all[rank].ToDictionary(v => v.Name, v => v.Value);
            var name = first.Keys.Union(other.Keys).FirstOrDefault(key => !s_own.Contains(key) && first.GetValueOrDefault(key) != other.GetValueOrDefault(key));
            if (name is not null)
            {
                throw new TrainingException(
                    $"Rank {rank} does not train what rank 0 trains: {name} is {other.GetValueOrDefault(name, "absent")} there, {first.GetValueOrDefault(name, "absent")} on rank 0. "
                    + "Start all processes with the same command, the same version and the same data.");
            }
        }
    }

    /// <summary>Refuses a checkpoint that one of the processes does not see.</summary>
    /// <exception cref="TrainingException">In each process alike.</exception>
    public static void RequireCheckpoint(ProcessGroup processes, string checkpoint)
    {
        var seen = processes.AllGather(Directory.Exists(checkpoint) ? "yes" : "no").ToList();
        if (seen.IndexOf("no") is >= 0 and var rank)
        {
            throw new TrainingException($"Rank {rank} does not see the checkpoint '{checkpoint}': put the run folder on a disk that all machines share, or copy the checkpoint to the same path there.");
        }
    }

    private static int Rest(ProcessGroup processes, TrainingArguments arguments, ImageDataset train) => train.Count % (arguments.PerDeviceTrainBatchSize * processes.Size);

    private static IEnumerable<(string Name, string Value)> Flat(string name, JsonNode? node) => node is JsonObject { Count: > 0 } values
        ? values.SelectMany(v => Flat(name.Length == 0 ? v.Key : $"{name}.{v.Key}", v.Value))
        : [(name, PythonJson.Serialize(node, indent: null))];
}
