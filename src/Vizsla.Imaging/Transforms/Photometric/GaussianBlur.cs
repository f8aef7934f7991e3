using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Blurs the picture with a Gaussian whose width is drawn from a range.</summary>
/// <param name="KernelSize">Width and height of the kernel in pixels, in this order, both odd; one number is a square.</param>
/// <remarks>Source: torchvision <c>v2.GaussianBlur</c>. Parity: exact.</remarks>
[Group(TransformGroup.Photometric)]
public sealed record GaussianBlur([Parameter("kernel_size", Example = "[5, 9]")] ImageSize KernelSize) : ImageTransform
{
    /// <summary>Blurs with a kernel of a width and a height.</summary>
    /// <param name="width">Width of the kernel in pixels, odd.</param>
    /// <param name="height">Height of the kernel in pixels, odd.</param>
    public GaussianBlur(int width, int height)
        : this((width, height))
    {
    }

    /// <summary>Range of the standard deviation in pixels, for both axes; a single number is always that; 0.1 to 2 by default.</summary>
    [Parameter("sigma")]
    public NumberOrPair Sigma { get; init; } = (0.1, 2.0);

    // torchvision reads the pair as (width, height) here, and as (height, width) in every size.
    private (int Width, int Height) Kernel => (KernelSize.Height, KernelSize.Width);

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(rng);
        var sigma = rng.Uniform(Sigma.Low, Sigma.High);
        return Blur.Gaussian(image, Kernel.Width, Kernel.Height, sigma, sigma);
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        if (Kernel.Width < 1 || Kernel.Height < 1 || int.IsEvenInteger(Kernel.Width) || int.IsEvenInteger(Kernel.Height))
        {
            problems.Add($"kernel_size is {KernelSize}; it must be odd and positive.");
        }

        if (!(Sigma.Low > 0 && Sigma.Low <= Sigma.High))
        {
            problems.Add($"sigma is {Sigma}; it must be positive, the smaller number first.");
        }
    }
}
