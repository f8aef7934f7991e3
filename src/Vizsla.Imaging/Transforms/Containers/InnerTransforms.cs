using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>What the containers have in common.</summary>
internal static class InnerTransforms
{
    /// <summary>Adds the problems of the transforms inside, and of an empty list.</summary>
    public static void AddProblems(IReadOnlyList<Transform> transforms, ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        if (transforms.Count == 0)
        {
            problems.Add("transforms is empty; pass at least one transform.");
        }

        foreach (var transform in transforms)
        {
            foreach (var problem in transform.FindProblems())
            {
                problems.Add($"{transform.GetType().Name}: {problem}");
            }
        }
    }

    /// <summary>The size that stays whether the transforms run or not, or null.</summary>
    public static (int Height, int Width)? CommonSize(ValueList<ImageTransform> transforms, (int Height, int Width)? input)
    {
        var size = input;
        foreach (var transform in transforms)
        {
            size = transform.SizeAfter(size);
        }

        return size == input ? input : null;
    }
}
