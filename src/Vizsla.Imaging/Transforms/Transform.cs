using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>One step of a preprocessing pipeline: a value with equality, not an object with state.</summary>
/// <remarks>
/// A step with invalid parameters can be made, so that a pipeline can report the problems of all its steps at once:
/// <see cref="Compose"/> refuses it, and <see cref="Validate"/> refuses it alone. Source: torchvision <c>v2.Transform</c>.
/// </remarks>
public abstract record Transform
{
    private protected Transform()
    {
    }

    /// <summary>Whether the step draws from the generator; a step that does not say is taken to draw.</summary>
    public virtual bool IsRandom => true;

    /// <summary>Size of the result.</summary>
    /// <param name="input">Size of the input, or null where it varies from picture to picture.</param>
    /// <returns>Height and width, or null where they depend on the picture or on the draw; a step that does not say returns null.</returns>
    public virtual (int Height, int Width)? SizeAfter((int Height, int Width)? input) => null;

    /// <summary>What is wrong with the parameters, one sentence each; empty when the step can run.</summary>
    public IReadOnlyList<string> FindProblems()
    {
        var problems = new List<string>();
        TransformType.Of(GetType()).CheckRanges(this, problems);
        AddProblems(problems);
        return problems;
    }

    /// <summary>Refuses invalid parameters.</summary>
    /// <exception cref="TransformException">One or more parameters are invalid; all are listed.</exception>
    public void Validate()
    {
        var problems = FindProblems();
        if (problems.Count > 0)
        {
            throw new TransformException([.. problems.Select(problem => $"{TransformType.NameOf(GetType())}: {problem}")]);
        }
    }

    /// <summary>The step as one would write it in C#.</summary>
    public sealed override string ToString() => PipelineText.ToCSharp(this);

    /// <summary>Adds what is wrong beyond the ranges that <see cref="ParameterAttribute"/> states.</summary>
    /// <param name="problems">The list to add sentences to.</param>
    protected virtual void AddProblems(ICollection<string> problems)
    {
    }
}

/// <summary>A step from an 8-bit RGB picture to another; the extension point for custom transforms.</summary>
public abstract record ImageTransform : Transform
{
    /// <summary>Returns the changed picture, or <paramref name="image"/> itself where nothing changes.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <param name="rng">The only source of randomness.</param>
    /// <returns>A picture that the caller owns when it is not <paramref name="image"/>.</returns>
    public abstract Image Apply(Image image, Rng rng);
}

/// <summary>The one step from an 8-bit picture to floats.</summary>
public abstract record ConversionTransform : Transform
{
    /// <inheritdoc />
    public override bool IsRandom => false;

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <summary>Writes the picture as floats, channel by channel.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="destination">Float [3, H, W] of the picture's size.</param>
    public abstract void Convert(Image image, ImageTensor destination);
}

/// <summary>A step that changes the floats of a picture in place, such as <c>Normalize</c> or <c>RandomErasing</c>.</summary>
public abstract record TensorTransform : Transform
{
    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <summary>Changes the values in place.</summary>
    /// <param name="tensor">Float [C, H, W].</param>
    /// <param name="rng">The only source of randomness.</param>
    public abstract void Apply(ImageTensor tensor, Rng rng);
}

/// <summary>A step that makes several pictures of one, such as <c>FiveCrop</c>; the steps after it run on each.</summary>
public abstract record MultiCropTransform : Transform
{
    /// <summary>Number of pictures made.</summary>
    public abstract int OutputCount { get; }

    /// <inheritdoc />
    public override bool IsRandom => false;

    /// <summary>Makes the pictures.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <returns><see cref="OutputCount"/> pictures of the same size; the caller owns them all.</returns>
    public abstract IReadOnlyList<Image> Apply(Image image);
}
