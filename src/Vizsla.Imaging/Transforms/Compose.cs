using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>A pipeline: steps that run one after the other, from an 8-bit picture to the floats a model takes.</summary>
/// <remarks>
/// Steps on pictures come first, then at most one conversion (<see cref="ToDtype"/>, <see cref="ToTensor"/>), then steps on floats. A pipeline of picture steps is itself a picture step.
/// Source: torchvision <c>v2.Compose</c>. Parity: exact.
/// </remarks>
[Group(TransformGroup.Container)]
public sealed record Compose : ImageTransform
{
    private readonly PipelinePlan _plan;

    /// <summary>Makes a pipeline of steps.</summary>
    /// <param name="transforms">The steps in order.</param>
    /// <exception cref="TransformException">A step has invalid parameters, or stands where it cannot; every problem is listed.</exception>
    public Compose(params IEnumerable<Transform> transforms)
    {
        ArgumentNullException.ThrowIfNull(transforms);
        Transforms = ValueList.From(transforms);
        var problems = PipelineProblems.Find(Transforms);
        if (problems.Count > 0)
        {
            throw new TransformException(problems);
        }

        _plan = new PipelinePlan(Transforms);
    }

    /// <summary>The steps in order.</summary>
    [Parameter("transforms", Example = """[{"transform": "Grayscale"}]""")]
    public ValueList<Transform> Transforms { get; }

    /// <summary>Whether any step draws from the generator.</summary>
    public override bool IsRandom => DeterministicPrefix < Transforms.Count;

    /// <summary>Number of leading steps that draw nothing: their result can be kept from epoch to epoch.</summary>
    public int DeterministicPrefix => Transforms.TakeWhile(transform => !transform.IsRandom).Count();

    /// <summary>Number of pictures made of one: 1, or more after <c>FiveCrop</c> or <c>TenCrop</c>.</summary>
    public int OutputCount => _plan.Crops?.OutputCount ?? 1;

    /// <summary>Shape of the result where the steps fix it whatever the picture; null where it depends on the picture.</summary>
    public (int Channels, int Height, int Width)? OutputSize =>
        SizeAfter(null) is { } size ? (3, size.Height, size.Width) : null;

    /// <summary>How a picture is decoded that enters these steps, where a JPEG may be decoded at a smaller scale: the first step must be a <see cref="Resize"/>; null otherwise.</summary>
    internal DecodeOptions? FastDecode => PipelinePlan.Flatten(Transforms).FirstOrDefault() is Resize resize
        ? new DecodeOptions { LeastSize = shown => resize.SizeAfter((shown.Height, shown.Width)) is var (height, width) ? (width, height) : shown }
        : null;

    /// <summary>Why pictures for these steps cannot be decoded at a smaller scale, as a sentence; null where they can.</summary>
    internal string? FastDecodeProblem => FastDecode is not null
        ? null
        : $"fast_decode needs a pipeline that begins with a Resize, which says how large a picture must be decoded, and this one begins with {(PipelinePlan.Flatten(Transforms).FirstOrDefault() is { } first ? TransformType.NameOf(first.GetType()) : "nothing")}: leave fast_decode out.";

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input)
    {
        var size = input;
        foreach (var transform in Transforms)
        {
            size = transform.SizeAfter(size);
        }

        return size;
    }

    /// <summary>Runs the steps on pictures; a conversion and what follows it are left out.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <param name="rng">The only source of randomness.</param>
    /// <returns>A picture that the caller owns when it is not <paramref name="image"/>.</returns>
    /// <exception cref="InvalidOperationException">The pipeline makes several pictures of one.</exception>
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        ThrowIfSeveral();
        return PipelinePlan.Apply(_plan.ImageSteps, image, rng);
    }

    /// <summary>Runs the whole pipeline.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <param name="rng">The only source of randomness.</param>
    /// <returns>Float [3, H, W]; the caller owns it.</returns>
    /// <exception cref="InvalidOperationException">The pipeline has no conversion to floats, or makes several pictures of one.</exception>
    public ImageTensor Run(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        ThrowIfSeveral();
        ThrowIfNoConversion();
        var picture = PipelinePlan.Apply(_plan.ImageSteps, image, rng);
        try
        {
            var tensor = new ImageTensor(3, picture.Height, picture.Width);
            _plan.Convert(picture, tensor, rng);
            return tensor;
        }
        finally
        {
            DisposeUnless(image, picture);
        }
    }

    /// <summary>Runs the whole pipeline and writes the result into a tensor that exists, such as a slot of a batch.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <param name="rng">The only source of randomness.</param>
    /// <param name="destination">Float [3, H, W] of the size that the pipeline makes of this picture.</param>
    /// <exception cref="InvalidOperationException">The pipeline has no conversion to floats, or makes several pictures of one.</exception>
    /// <exception cref="ArgumentException">The destination has another size than the result.</exception>
    public void Run(Image image, Rng rng, ImageTensor destination)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        ArgumentNullException.ThrowIfNull(destination);
        ThrowIfSeveral();
        ThrowIfNoConversion();
        var picture = PipelinePlan.Apply(_plan.ImageSteps, image, rng);
        try
        {
            if (destination.Channels != 3 || destination.Height != picture.Height || destination.Width != picture.Width)
            {
                throw new ArgumentException(
                    $"The pipeline made [3, {picture.Height}, {picture.Width}], and the destination is [{destination.Channels}, {destination.Height}, {destination.Width}]; "
                    + "let the pipeline end in one size, for instance with a Resize((height, width)) or a CenterCrop.",
                    nameof(destination));
            }

            _plan.Convert(picture, destination, rng);
        }
        finally
        {
            DisposeUnless(image, picture);
        }
    }

    /// <summary>Runs a pipeline that may make several pictures of one.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <param name="rng">The only source of randomness.</param>
    /// <returns><see cref="OutputCount"/> tensors, float [3, H, W] each; the caller owns them.</returns>
    /// <exception cref="InvalidOperationException">The pipeline has no conversion to floats.</exception>
    public IReadOnlyList<ImageTensor> RunMany(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        ThrowIfNoConversion();
        return _plan.Crops is null ? [Run(image, rng)] : _plan.RunMany(image, rng);
    }

    /// <inheritdoc />
    public bool Equals(Compose? other) => other is not null && Transforms.Equals(other.Transforms);

    /// <inheritdoc />
    public override int GetHashCode() => Transforms.GetHashCode();

    private static void DisposeUnless(Image image, Image picture)
    {
        if (!ReferenceEquals(image, picture))
        {
            picture.Dispose();
        }
    }

    private void ThrowIfNoConversion()
    {
        if (_plan.Conversion is null)
        {
            throw new InvalidOperationException("The pipeline ends in a picture; add new ToDtype(Scale: true) or new ToTensor() to get floats.");
        }
    }

    private void ThrowIfSeveral()
    {
        if (_plan.Crops is { } crops)
        {
            throw new InvalidOperationException($"{crops} makes {crops.OutputCount} pictures of one; use RunMany.");
        }
    }
}
