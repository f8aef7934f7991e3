namespace Vizsla.Training.Data;

/// <summary>The micro-batches of one optimizer step.</summary>
/// <param name="Rows">Rows of all their pictures, in order.</param>
/// <param name="BatchCount">Number of micro-batches.</param>
/// <param name="LastBatch">Batches of the epoch that are done after this step.</param>
/// <param name="Batches">The micro-batches; each is disposed by the reader. To be read once, unless they were all fetched.</param>
internal sealed record StepBatches(int[] Rows, int BatchCount, int LastBatch, IEnumerable<TrainingBatch> Batches);
