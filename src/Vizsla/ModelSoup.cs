using Vizsla.Models;
using Vizsla.Training;
using Vizsla.Training.Data;
using static TorchSharp.torch;

namespace Vizsla;

/// <summary>One model of several that were fine-tuned from the same start: the mean of their weights, which costs what one of them costs.</summary>
/// <remarks>Source: Wortsman and others, "Model soups" (2022).</remarks>
public static class ModelSoup
{
    /// <summary>The mean of the weights of all models.</summary>
    /// <param name="models">Folders or names of two models or more of one architecture, with the same labels and preprocessing.</param>
    /// <param name="pictures">Training pictures from which the statistics of batch norms are computed anew; null averages the statistics too. Without effect where there are no batch norms.</param>
    /// <returns>A whole model with the configuration of the first; the caller owns it.</returns>
    /// <exception cref="ModelLoadException">A model cannot be loaded, is an adapter, or differs from the first in labels, preprocessing or weights; the message says in which.</exception>
    public static ImageClassifier Average(IReadOnlyList<string> models, ImageDataset? pictures = null)
    {
        ArgumentNullException.ThrowIfNull(models);
        ArgumentOutOfRangeException.ThrowIfZero(models.Count, nameof(models));
        var soup = Load(models[0]);
        try
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            var sums = soup.Network.State().ToDictionary(s => s.Name, s => s.Value.to(ScalarType.Float64, copy: true), StringComparer.Ordinal);
            foreach (var name in models.Skip(1))
            {
                using var other = Load(name);
                Require(soup, models[0], other, name);
                foreach (var (weight, value) in other.Network.State())
                {
                    using var added = value.to(ScalarType.Float64);
                    Native.KeptScalars.Plus_(sums[weight], added);
                }
            }

            foreach (var (weight, value) in soup.Network.State().Where(s => s.Value.is_floating_point()))
            {
                value.copy_(Native.KeptScalars.Over(sums[weight], models.Count));
            }

            if (pictures is not null && BatchNormStatistics.Are(soup.Network))
            {
                var compute = ComputeContext.Of(new TrainingArguments { Bf16 = false }, soup.Network, Collator.Default);
                BatchNormStatistics.Compute(compute, pictures.WithTransform(soup.Processor.ToPipeline()), CancellationToken.None);
            }

            return soup;
        }
        catch
        {
            soup.Dispose();
            throw;
        }
    }

    /// <summary>The mean of those models that make it no worse: from the best one on each is added in the order of its score, and kept where the score does not fall.</summary>
    /// <param name="models">Folders or names, as in <see cref="Average"/>.</param>
    /// <param name="score">A number of a model that is larger for a better one, such as its accuracy on a validation split.</param>
    /// <param name="pictures">As in <see cref="Average"/>.</param>
    /// <returns>The model, which the caller owns; those of the models that are in it, the best first; and the score of each model, in the order in which they were given.</returns>
    /// <exception cref="ModelLoadException">As in <see cref="Average"/>.</exception>
    public static (ImageClassifier Model, IReadOnlyList<string> Parts, IReadOnlyList<double> Scores) Greedy(
        IReadOnlyList<string> models, Func<ImageClassifier, double> score, ImageDataset? pictures = null)
    {
        ArgumentNullException.ThrowIfNull(models);
        ArgumentNullException.ThrowIfNull(score);
        var scores = models.Select(model =>
        {
            using var part = Load(model);
            return score(part);
        }).ToList();
        string[] order = [.. Enumerable.Range(0, models.Count).OrderByDescending(i => scores[i]).Select(i => models[i])];
        List<string> parts = [order[0]];
        var (best, highest) = (Average(parts), scores.Max());
        foreach (var next in order.Skip(1))
        {
            var tried = Average([.. parts, next], pictures);
            if (score(tried) is var reached && reached >= highest)
            {
                best.Dispose();
                (best, highest) = (tried, reached);
                parts.Add(next);
            }
            else
            {
                tried.Dispose();
            }
        }

        return (best, parts, scores);
    }

    private static ImageClassifier Load(string name)
    {
        var model = ImageClassifier.FromPretrained(name);
        if (model.Adapter is null)
        {
            return model;
        }

        model.Dispose();
        throw new ModelLoadException($"'{name}' is an adapter, and a soup is made of whole models: merge it into its base model first.");
    }

    private static void Require(ImageClassifier first, string firstName, ImageClassifier other, string name)
    {
        var shapes = first.Network.State().ToDictionary(s => s.Name, s => s.Value.shape, StringComparer.Ordinal);
        var problem = !first.Labels.SequenceEqual(other.Labels) ? "their labels are not the same"
            : !first.Processor.ToPipeline().Equals(other.Processor.ToPipeline()) ? "they prepare pictures in different ways"
            : first.Network.ClassName != other.Network.ClassName ? $"one is a {first.Network.ClassName}, the other a {other.Network.ClassName}"
            : other.Network.State().Where(s => !shapes.TryGetValue(s.Name, out var shape) || !shape.SequenceEqual(s.Value.shape))
                .Select(s => $"'{s.Name}' is [{string.Join(", ", s.Value.shape)}] in the second{(shapes.TryGetValue(s.Name, out var shape) ? $" and [{string.Join(", ", shape)}] in the first" : " and not in the first")}").FirstOrDefault();
        if (problem is not null)
        {
            throw new ModelLoadException($"'{firstName}' and '{name}' cannot be averaged: {problem}. A soup is made of runs that were fine-tuned from one model on one dataset.");
        }
    }
}
