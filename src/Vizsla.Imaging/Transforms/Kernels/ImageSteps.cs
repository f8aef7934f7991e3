using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>A chain of changes that disposes every picture between the first and the last.</summary>
internal struct ImageSteps
{
    private readonly Image _first;

    /// <param name="first">The picture to start from; it stays the caller's.</param>
    public ImageSteps(Image first) => (_first, Current) = (first, first);

    /// <summary>The picture so far.</summary>
    public Image Current { get; private set; }

    /// <summary>Applies a change with a factor; null leaves the picture.</summary>
    public void Add(double? factor, Func<Image, double, Image> change)
    {
        if (factor is { } given)
        {
            Replace(change(Current, given));
        }
    }

    /// <summary>Replaces the current picture.</summary>
    public void Replace(Image next)
    {
        if (!ReferenceEquals(next, Current) && !ReferenceEquals(Current, _first))
        {
            Current.Dispose();
        }

        Current = next;
    }
}
