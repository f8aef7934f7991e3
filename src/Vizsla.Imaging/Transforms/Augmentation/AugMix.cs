using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Mixes the picture with several chains of random operations on it.</summary>
/// <param name="Severity">Number of strengths to draw from, 1 to 10.</param>
/// <param name="MixtureWidth">Number of chains.</param>
/// <param name="ChainDepth">Operations in a chain; 0 or less draws 1 to 3.</param>
/// <param name="Alpha">Concentration of the random weights; 1 makes all mixtures alike probable.</param>
/// <param name="AllOperations">Whether brightness, color, contrast and sharpness are among the operations.</param>
/// <param name="Interpolation">Nearest or bilinear, for operations that move pixels; bilinear by default.</param>
/// <param name="Fill">Color of what comes from outside; null leaves it black without blending at the border.</param>
/// <remarks>Source: torchvision <c>v2.AugMix</c> (Hendrycks et al. 2020), which works with the arithmetic of tensors on pictures too. Parity: exact.</remarks>
[Group(TransformGroup.Augmentation)]
public sealed record AugMix(
    [Parameter("severity", Minimum = 1, Maximum = 10)] int Severity = 3,
    [Parameter("mixture_width", Minimum = 1)] int MixtureWidth = 3,
    [Parameter("chain_depth")] int ChainDepth = -1,
    [Parameter("alpha")] double Alpha = 1,
    [Parameter("all_ops")] bool AllOperations = true,
    [Parameter("interpolation")] Interpolation Interpolation = Interpolation.Bilinear,
    [Parameter("fill", Minimum = 0, Maximum = 255)] FillColor? Fill = null) : ImageTransform
{
    private const int BinCount = 10;
    private const int DeepestDrawn = 3;

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        Span<float> shares = stackalloc float[2];
        rng.Dirichlet([(float)Alpha, (float)Alpha], shares);
        var concentration = new float[MixtureWidth];
        concentration.AsSpan().Fill((float)Alpha);
        var weights = new float[MixtureWidth];
        rng.Dirichlet(concentration, weights);
        var pixels = image.Pixels;
        var mixed = PixelPool<float>.Shared.Rent(pixels.Length);
        for (var i = 0; i < pixels.Length; i++)
        {
            mixed[i] = shares[0] * pixels[i];
        }

        foreach (var weight in weights)
        {
            var chain = RunChain(image, rng);
            AddWeighted(chain.Pixels, weight * shares[1], mixed);
            if (!ReferenceEquals(chain, image))
            {
                chain.Dispose();
            }
        }

        var result = new Image(image.Width, image.Height);
        var target = result.Pixels;
        for (var i = 0; i < target.Length; i++)
        {
            target[i] = (byte)mixed[i];
        }

        PixelPool<float>.Shared.Return(mixed);
        return result;
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        Rules.CheckAlpha(Alpha, problems);
        if (Interpolation is not (Interpolation.Nearest or Interpolation.Bilinear))
        {
            problems.Add($"interpolation is {PipelineText.ToCSharp(Interpolation)}; AugMix samples with Nearest or Bilinear.");
        }
    }

    private static void AddWeighted(ReadOnlySpan<byte> pixels, float weight, Span<float> sums)
    {
        for (var i = 0; i < pixels.Length; i++)
        {
            sums[i] += weight * pixels[i];
        }
    }

    private Image RunChain(Image image, Rng rng)
    {
        var depth = ChainDepth > 0 ? ChainDepth : rng.NextInt32(1, DeepestDrawn + 1);
        var operationCount = AllOperations ? AugmentSpaces.Mix13.Length : AugmentSpaces.MixPartialCount;
        var steps = new ImageSteps(image);
        for (var i = 0; i < depth; i++)
        {
            var operation = AugmentSpaces.Mix13[rng.NextInt32(0, operationCount)];
            var magnitude = AugmentSpaces.Mix(operation, image.Width, image.Height);
            var strength = 0.0;
            if (magnitude.HasStrength)
            {
                strength = magnitude.Strength(rng.NextInt32(0, Severity), BinCount, AugmentSpaces.MixPosterize);
                strength = magnitude.IsSigned && rng.NextSingle() <= 0.5f ? -strength : strength;
            }

            steps.Replace(TensorOperations.Apply(steps.Current, operation, strength, Interpolation, Fill));
        }

        return steps.Current;
    }
}
