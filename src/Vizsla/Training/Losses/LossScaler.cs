using System.Text.Json.Nodes;
using Vizsla.Training.Arguments;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Training.Losses;

/// <summary>Multiplies the loss so that float16 gradients do not vanish, and divides them again before the optimizer sees them.</summary>
/// <remarks>Source: <c>torch.amp.GradScaler</c> with its defaults.</remarks>
internal sealed class LossScaler
{
    private const double Growth = 2.0;
    private const double Backoff = 0.5;
    private const int GrowthInterval = 2000;
    private int _goodSteps;

    /// <summary>The factor.</summary>
    public double Scale { get; private set; } = 65536;

    /// <summary>Divides the gradients by the factor and says whether they are all finite.</summary>
    public bool Unscale(IReadOnlyList<Tensor> gradients)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (var gradient in gradients)
        {
            gradient.mul_(Kept(1 / Scale));
        }

        return Native.Gradients.Norm(gradients).isfinite().item<bool>();
    }

    /// <summary>Grows the factor after many good steps and shrinks it after a bad one.</summary>
    /// <param name="isFinite">Whether the gradients of this step were finite.</param>
    public void Update(bool isFinite)
    {
        _goodSteps = isFinite ? _goodSteps + 1 : 0;
        Scale = !isFinite ? Scale * Backoff : _goodSteps == GrowthInterval ? Scale * Growth : Scale;
        _goodSteps = _goodSteps == GrowthInterval ? 0 : _goodSteps;
    }

    /// <summary>What a resumed run needs.</summary>
    public JsonObject SaveState() => new() { ["scale"] = Scale, ["_growth_tracker"] = _goodSteps };

    /// <summary>Restores what <see cref="SaveState"/> gave.</summary>
    public void LoadState(JsonObject state) => (Scale, _goodSteps) = (state.Number("scale") ?? Scale, state.Whole("_growth_tracker") ?? 0);
}
