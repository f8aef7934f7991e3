using System.Text.Json.Nodes;
using Vizsla.Datasets.Drawing;
using Vizsla.Datasets.Splits;
using Vizsla.Models;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Processes;

/// <summary>A small dataset and a small model with dropout, and a training of them that uses everything that a checkpoint has to hold.</summary>
internal sealed class AnimalRun : IDisposable
{
    private const int Side = 32;
    private readonly TemporaryFolder _folder = new();

    public AnimalRun(double dropout = 0.1)
    {
        var photos = _folder["photos"];
        _ = AnimalPainter.WriteFolder(photos, countPerClass: 12, size: Side);
        _ = DatasetPreparation.Run(new PreparationOptions { Images = photos, Labels = Path.Combine(photos, "labels.csv"), Output = Dataset });
        var configuration = Architectures.Variant("vit-nano", Side);
        foreach (var (key, value) in new Dictionary<string, JsonNode>
        {
            ["hidden_size"] = 48, ["num_hidden_layers"] = 2, ["intermediate_size"] = 96, ["hidden_dropout_prob"] = dropout, ["attention_probs_dropout_prob"] = dropout,
        })
        {
            configuration.Set(key, value);
        }

        configuration.SetLabels(AnimalPainter.Classes);
        using var model = ImageClassifier.FromConfig(configuration, seed: 1);
        model.Save(Model);
    }

    public string Dataset => _folder["AnimalClassification"];

    public string Model => _folder["model"];

    public string Output(string name) => _folder[name];

    /// <summary>The words of a training: augmentations, dropout, MixUp, moving average, accumulation, the best of all evaluations, few checkpoints kept.</summary>
    /// <param name="name">Name of the run folder.</param>
    /// <param name="steps">Optimizer steps.</param>
    public IReadOnlyList<string> Train(string name, int steps) =>
    [
        "train", "--dataset", Dataset, "--model", Model, "--output", Output(name), "--log_format", "json", "--bf16", "false",
        "--max_steps", $"{steps}", "--per_device_train_batch_size", "4", "--gradient_accumulation_steps", "2", "--dataloader_num_workers", "1", "--learning_rate", "1e-3",
        "--lr_scheduler_type", "cosine", "--mixup_alpha", "0.2", "--ema_decay", "0.95", "--logging_steps", "2", "--eval_strategy", "steps", "--eval_steps", "15",
        "--save_steps", "8", "--save_total_limit", "2", "--load_best_model_at_end", "--metric_for_best_model", "accuracy",
    ];

    public void Dispose() => _folder.Dispose();
}
