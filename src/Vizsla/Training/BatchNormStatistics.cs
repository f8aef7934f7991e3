using TorchSharp;
using Vizsla.Models;
using Vizsla.Models.Layers;
using Vizsla.Training.Data;
using static TorchSharp.torch;

namespace Vizsla.Training;

/// <summary>Means and variances of batch norms for weights that no forward pass has seen, such as an average.</summary>
/// <remarks>The plain mean over the batches of a split. Source: <c>torch.optim.swa_utils.update_bn</c>, without dropout: the other layers are in evaluation mode.</remarks>
internal static class BatchNormStatistics
{
    /// <summary>Whether a network has batch norms.</summary>
    public static bool Are(ClassificationNetwork network) => ModuleTree.Layers(network).OfType<BatchNormalization>().Any();

    /// <summary>Computes the statistics anew, of the norms in training mode where the network is in it, else of all; leaves the network in evaluation mode.</summary>
    /// <param name="compute">The network, and where it computes.</param>
    /// <param name="pictures">Pictures with their transform; random steps are drawn as in the first epoch.</param>
    /// <param name="stop">Ends the computation after a batch that is not the last.</param>
    public static void Compute(ComputeContext compute, ImageDataset pictures, CancellationToken stop)
    {
        var norms = ModuleTree.Layers(compute.Network).OfType<BatchNormalization>().ToList();
        if (compute.Network.training)
        {
            // Frozen ones keep theirs.
            norms = [.. norms.Where(norm => norm.training)];
        }

        if (norms.Count == 0)
        {
            compute.Network.Evaluate();
            return;
        }

        lock (compute.Network.Gate)
        {
            compute.Network.Evaluate();
            using var noGradient = no_grad();
            try
            {
                foreach (var norm in norms)
                {
                    norm.ResetStatistics();
                    norm.train();
                }

                var arguments = compute.Arguments with { DataRng = DataRng.Sample, DataloaderDropLast = false };
                var source = new BatchSource(pictures, arguments, arguments.PerDeviceTrainBatchSize);
                var done = 0;
                foreach (var batch in source.Load([.. Enumerable.Range(0, pictures.Count)], epoch: 0))
                {
                    stop.ThrowIfCancellationRequested();
                    done++;
                    norms.ForEach(norm => norm.ShareOfBatch = 1.0 / done);
                    using (batch)
                    using (NewDisposeScope())
                    {
                        _ = compute.Network.Features(compute.Collate(batch).PixelValues);
                    }
                }
            }
            finally
            {
                norms.ForEach(norm => norm.ShareOfBatch = null);
                compute.Network.Evaluate();
            }
        }
    }
}
