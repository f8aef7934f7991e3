using TorchSharp;
using Vizsla.Models;
using Vizsla.Models.Weights;
using static TorchSharp.torch;

namespace Vizsla.Tests.Models;

/// <summary>What networks draw in training; the generator is the process's.</summary>
[Collection(Training.TrainsAlone.Name)]
public class VitTrainingGoldenTests
{
    public static TheoryData<string> RecordedInTraining() =>
        [.. Directory.EnumerateDirectories(VitGoldenTests.Own).Where(d => File.ReadAllText(Path.Combine(d, "numbers.safetensors"), System.Text.Encoding.Latin1).Contains("\"train.logits\"", StringComparison.Ordinal))
            .Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(RecordedInTraining))]
    public void In_training_it_draws_what_Python_draws(string checkpoint)
    {
        var folder = VitGoldenTests.Folder(checkpoint);
        using var scope = NewDisposeScope();
        using var numbers = SafetensorsFile.Open(Path.Combine(folder, "numbers.safetensors"));
        using var classifier = ImageClassifier.FromPretrained(folder);
        classifier.Network.train();

        manual_seed(3);
        var logits = classifier.Network.forward(numbers.Read("pixel_values"));

        VitGoldenTests.AssertNear("logits", numbers.Read("train.logits"), logits);
    }
}
