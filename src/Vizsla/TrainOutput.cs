using Vizsla.Training.Losses;
using Vizsla.Training.Metrics;

namespace Vizsla;

/// <summary>What a training gave.</summary>
/// <param name="GlobalStep">Optimizer steps done.</param>
/// <param name="TrainingLoss">Mean loss over all steps.</param>
/// <param name="Metrics"><c>train_loss</c>, <c>train_runtime</c> and so on, as in <c>train_results.json</c>.</param>
/// <remarks>Source: transformers <c>TrainOutput</c>.</remarks>
public sealed record TrainOutput(int GlobalStep, double TrainingLoss, IReadOnlyDictionary<string, double> Metrics);

/// <summary>What a prediction gave.</summary>
/// <param name="Predictions">Logits and true classes.</param>
/// <param name="Metrics"><c>test_loss</c>, <c>test_accuracy</c> and so on.</param>
/// <remarks>Source: transformers <c>PredictionOutput</c>.</remarks>
public sealed record PredictionOutput(EvalPrediction Predictions, IReadOnlyDictionary<string, double> Metrics);
