using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>The steps of a pipeline sorted by what they work on, with everything computed that no picture changes.</summary>
internal sealed class PipelinePlan
{
    private readonly float[]? _levels;
    private readonly TensorTransform[] _tensorSteps;

    /// <param name="transforms">Steps without problems.</param>
    public PipelinePlan(IEnumerable<Transform> transforms)
    {
        var steps = Flatten(transforms).ToList();
        ImageSteps = [.. steps.TakeWhile(step => step is not MultiCropTransform).OfType<ImageTransform>()];
        Crops = steps.OfType<MultiCropTransform>().FirstOrDefault();
        CropSteps = [.. steps.SkipWhile(step => step is not MultiCropTransform).OfType<ImageTransform>()];
        Conversion = steps.OfType<ConversionTransform>().FirstOrDefault();
        var tensorSteps = steps.OfType<TensorTransform>().ToArray();
        if (Conversion is PointwiseConversion pointwise)
        {
            // A level has one result per channel through conversion and the normalizations after it: a table of 3 x 256 floats.
            var normalizations = tensorSteps.TakeWhile(step => step is Normalize).Cast<Normalize>().ToArray();
            _levels = LevelTable.Build(pointwise, normalizations);
            tensorSteps = tensorSteps[normalizations.Length..];
        }

        _tensorSteps = tensorSteps;
    }

    /// <summary>The picture steps, before the crops where there are crops.</summary>
    public ImageTransform[] ImageSteps { get; }

    /// <summary>The step that makes several pictures of one, if any.</summary>
    public MultiCropTransform? Crops { get; }

    /// <summary>The picture steps after the crops.</summary>
    public ImageTransform[] CropSteps { get; }

    /// <summary>The step from levels to floats, if any.</summary>
    public ConversionTransform? Conversion { get; }

    /// <summary>The steps with those of inner pipelines in their place.</summary>
    public static IEnumerable<Transform> Flatten(IEnumerable<Transform> transforms) =>
        transforms.SelectMany(transform => transform is Compose inner ? Flatten(inner.Transforms) : [transform]);

    /// <summary>Runs picture steps and disposes what lies between them.</summary>
    /// <returns>A picture that the caller owns when it is not <paramref name="image"/>.</returns>
    public static Image Apply(ReadOnlySpan<ImageTransform> steps, Image image, Rng rng)
    {
        var current = image;
        foreach (var step in steps)
        {
            Image? next = null;
            try
            {
                if (step.SizeAfter((current.Height, current.Width)) is var (height, width))
                {
                    Image.CheckStep(width, height);
                }

                next = step.Apply(current, rng);
            }
            finally
            {
                if (!ReferenceEquals(current, next) && !ReferenceEquals(current, image))
                {
                    current.Dispose();
                }
            }

            current = next;
        }

        return current;
    }

    /// <summary>Writes levels as floats and runs the steps on floats.</summary>
    public void Convert(Image picture, ImageTensor destination, Rng rng)
    {
        if (_levels is not null)
        {
            LevelTable.Apply(_levels, picture, destination);
        }
        else
        {
            Conversion!.Convert(picture, destination);
        }

        foreach (var step in _tensorSteps)
        {
            step.Apply(destination, rng);
        }
    }

    /// <summary>Runs the whole pipeline on each picture that the crops make.</summary>
    public IReadOnlyList<ImageTensor> RunMany(Image image, Rng rng)
    {
        var whole = Apply(ImageSteps, image, rng);
        IReadOnlyList<Image> views = [];
        var tensors = new List<ImageTensor>();
        try
        {
            views = Crops!.Apply(whole);
            foreach (var view in views)
            {
                var picture = Apply(CropSteps, view, rng);
                try
                {
                    tensors.Add(new ImageTensor(3, picture.Height, picture.Width));
                    Convert(picture, tensors[^1], rng);
                }
                finally
                {
                    if (!ReferenceEquals(picture, view))
                    {
                        picture.Dispose();
                    }
                }
            }
        }
        finally
        {
            foreach (var view in views)
            {
                view.Dispose();
            }

            if (!ReferenceEquals(whole, image))
            {
                whole.Dispose();
            }
        }

        return tensors;
    }
}
