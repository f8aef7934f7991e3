namespace Vizsla.Transforms;

/// <summary>What is wrong with a pipeline: invalid parameters of its steps, and steps in an order that cannot run.</summary>
internal static class PipelineProblems
{
    /// <summary>Every problem in a sentence.</summary>
    /// <param name="transforms">The steps.</param>
    /// <param name="place">How a step is named in a message; null says "Step 3, GaussianBlur".</param>
    public static List<string> Find(IReadOnlyList<Transform> transforms, Func<int, Transform, string>? place = null)
    {
        place ??= static (index, transform) => $"Step {index + 1}, {TransformType.NameOf(transform.GetType())}";
        var problems = new List<string>();
        if (transforms.Count == 0)
        {
            problems.Add("A pipeline needs at least one transform.");
        }

        for (var i = 0; i < transforms.Count; i++)
        {
            foreach (var problem in transforms[i].FindProblems())
            {
                problems.Add($"{place(i, transforms[i])}: {problem}");
            }
        }

        FindOrder(transforms, problems, place);
        return problems;
    }

    private static void FindOrder(IReadOnlyList<Transform> transforms, List<string> problems, Func<int, Transform, string> place)
    {
        Transform? conversion = null;
        Transform? crops = null;
        for (var i = 0; i < transforms.Count; i++)
        {
            foreach (var step in PipelinePlan.Flatten([transforms[i]]))
            {
                switch (step)
                {
                    case ConversionTransform when conversion is not null:
                        problems.Add($"{place(i, transforms[i])}: {TransformType.NameOf(conversion.GetType())} has made floats already; leave one of the two out.");
                        break;
                    case ConversionTransform:
                        conversion = step;
                        break;
                    case TensorTransform when conversion is null:
                        problems.Add($"{place(i, transforms[i])}: works on floats; put ToDtype(Scale: true) or ToTensor before it.");
                        break;
                    case ImageTransform or MultiCropTransform when conversion is not null:
                        problems.Add($"{place(i, transforms[i])}: works on 8-bit pictures; put it before {TransformType.NameOf(conversion.GetType())}.");
                        break;
                    case MultiCropTransform when crops is not null:
                        problems.Add($"{place(i, transforms[i])}: {TransformType.NameOf(crops.GetType())} has made several pictures already; leave one of the two out.");
                        break;
                    case MultiCropTransform:
                        crops = step;
                        break;
                    case BatchTransform:
                        problems.Add($"{place(i, transforms[i])}: works on whole batches; give it to the collator instead.");
                        break;
                }
            }
        }
    }
}
