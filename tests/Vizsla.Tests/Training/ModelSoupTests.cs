using TorchSharp;
using Vizsla.Models;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Tests.Training;

[Collection(TrainsAlone.Name)]
public sealed class ModelSoupTests : IDisposable
{
    private readonly TinyRun _run = new(dropout: 0);

    public void Dispose() => _run.Dispose();

    [Fact]
    public void Weights_are_the_mean_of_those_of_all_models()
    {
        string[] models = [Saved("a", 1), Saved("b", 2), Saved("c", 3)];

        using var soup = ModelSoup.Average(models);

        using var scope = NewDisposeScope();
        var parts = models.Select(model => ImageClassifier.FromPretrained(model)).ToList();
        foreach (var (name, value) in soup.Network.State())
        {
            var mean = stack([.. parts.Select(p => p.Network.State().Single(s => s.Name == name).Value)]).mean([0]);
            Assert.True(value.allclose(mean, atol: 1e-7), name);
        }

        parts.ForEach(part => part.Dispose());
    }

    [Fact]
    public void The_greedy_way_keeps_what_does_no_harm_from_the_best_model_on()
    {
        string[] models = [Saved("a", 1), Saved("b", 2), Saved("c", 3)];
        double Bias(ImageClassifier model) => model.Network.State().Single(s => s.Name == "classifier.bias").Value[0].ToDouble();

        // Scored by one number of the weights, 1, 2 and 3: the mean of the largest with any other is smaller, unless the score looks for 2.5.
        var (largest, kept, scores) = ModelSoup.Greedy(models, Bias);
        var (nearest, both, _) = ModelSoup.Greedy(models, model => -Math.Abs(Bias(model) - 2.6));
        using (largest)
        using (nearest)
        {
            Assert.Equal([1.0, 2.0, 3.0], scores);
            Assert.Equal([models[2]], kept);
            Assert.Equal(3, Bias(largest));
            Assert.Equal([models[2], models[1]], both);
            Assert.Equal(2.5, Bias(nearest));
        }
    }

    [Fact]
    public void Batch_norms_take_the_mean_and_variance_of_the_pictures()
    {
        using (var model = ImageClassifier.Create("mobilenetv3_small_050", ["falling", "level", "rising"], imageSize: 32, seed: 1))
        {
            model.Save(_run.Output("norms"));
        }

        var pictures = TinyRun.Eval(8);
        using var soup = ModelSoup.Average([_run.Output("norms"), _run.Output("norms")], pictures);

        var first = ModuleTree.Layers(soup.Network).OfType<BatchNormalization>().First();
        Assert.NotEqual(0, first.RunningMean.abs().sum().ToDouble());
        Assert.Equal(1, soup.Network.State().First(s => s.Name.EndsWith("num_batches_tracked", StringComparison.Ordinal)).Value.item<long>());
    }

    [Fact]
    public void Models_that_do_not_fit_are_refused()
    {
        var (first, labels) = (Saved("a", 1), Saved("b", 2, c => c.SetLabels(["falling", "rising", "level"])));
        var shape = Saved("c", 2, c => c.Set("intermediate_size", 40));

        const string what = "A soup is made of runs that were fine-tuned from one model on one dataset.";
        Assert.Equal($"'{first}' and '{labels}' cannot be averaged: their labels are not the same. {what}", Refused(labels));
        Assert.Equal($"'{first}' and '{shape}' cannot be averaged: 'vit.encoder.layer.0.intermediate.dense.weight' is [40, 24] in the second and [48, 24] in the first. {what}", Refused(shape));

        string Refused(string other) => Assert.Throws<ModelLoadException>(() => ModelSoup.Average([first, other])).Message;
    }

    private string Saved(string name, int bias, Action<ModelConfiguration>? change = null)
    {
        using var drawn = _run.Model();
        var configuration = drawn.Configuration.Clone();
        change?.Invoke(configuration);
        using var model = ImageClassifier.FromConfig(configuration, seed: bias);
        using (no_grad())
        {
            model.Network.State().Single(s => s.Name == "classifier.bias").Value.fill_(bias);
        }

        model.Save(_run.Output(name));
        return _run.Output(name);
    }
}
