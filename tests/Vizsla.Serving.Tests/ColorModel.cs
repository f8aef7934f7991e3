using Vizsla.Imaging;
using Vizsla.Inference;

namespace Vizsla.Serving.Tests;

/// <summary>A model without weights: its logits are the means of red, green and blue; it can be held up.</summary>
internal sealed class ColorModel : IBatchClassifier
{
    private readonly ManualResetEventSlim _gate = new(initialState: true);

    public IReadOnlyList<string> Labels { get; } = ["red", "green", "blue"];

    public ScoreFunction Function => ScoreFunction.Softmax;

    /// <summary>How many pictures each forward pass had.</summary>
    public List<int> Batches { get; } = [];

    /// <summary>Set when a forward pass has begun.</summary>
    public ManualResetEventSlim Began { get; } = new();

    /// <summary>Keeps pictures waiting until the hold is disposed.</summary>
    public IDisposable Hold()
    {
        _gate.Reset();
        return new Holding(_gate);
    }

    /// <summary>Pictures of this width make it throw what no picture should; 0 for none.</summary>
    public int FailingWidth { get; init; }

    public ImageTensor Prepare(Image image)
    {
        if (image.Width == FailingWidth)
        {
            throw new NotSupportedException($"a width of {FailingWidth}.");
        }

        var tensor = new ImageTensor(3, 1, 1);
        for (var channel = 0; channel < 3; channel++)
        {
            double sum = 0;
            for (var i = channel; i < image.Pixels.Length; i += 3)
            {
                sum += image.Pixels[i];
            }

            tensor.Values[channel] = (float)(sum / (image.Pixels.Length / 3) / 64);
        }

        return tensor;
    }

    public IReadOnlyList<float[]> ComputeLogits(IReadOnlyList<ImageTensor> pictures)
    {
        Began.Set();
        _gate.Wait();
        Batches.Add(pictures.Count);
        return [.. pictures.Select(p => p.Values.ToArray())];
    }

    public void Dispose()
    {
    }

    private sealed class Holding(ManualResetEventSlim gate) : IDisposable
    {
        public void Dispose() => gate.Set();
    }
}
