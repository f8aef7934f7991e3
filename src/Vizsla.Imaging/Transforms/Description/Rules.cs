using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Checks that several transforms share.</summary>
internal static class Rules
{
    /// <summary>A single angle is not negative, and a range increases.</summary>
    public static void CheckAngle(string name, NumberOrPair angle, ICollection<string> problems)
    {
        if (!angle.IsPair && angle.Low < 0)
        {
            problems.Add($"{name} is {angle}; a single number stands for -x to x and must not be negative. Give a range (low, high) to say otherwise.");
        }
        else
        {
            CheckIncreasing(name, (angle.Low, angle.High), problems);
        }
    }

    /// <summary>The lower end of a range is not above the upper one.</summary>
    public static void CheckIncreasing(string name, (double Low, double High) range, ICollection<string> problems)
    {
        if (range.Low > range.High)
        {
            problems.Add(FormattableString.Invariant($"{name} is ({range.Low}, {range.High}); give the smaller number first."));
        }
    }

    /// <summary>Moved pictures are sampled by nearest, bilinear or bicubic.</summary>
    public static void CheckSamplingFilter(Interpolation interpolation, ICollection<string> problems)
    {
        if (interpolation is not (Interpolation.Nearest or Interpolation.Bilinear or Interpolation.Bicubic))
        {
            problems.Add($"interpolation is {PipelineText.ToCSharp(interpolation)}; a picture is moved with Nearest, Bilinear or Bicubic.");
        }
    }

    /// <summary>The concentration of a distribution of shares is above 0.</summary>
    public static void CheckAlpha(double alpha, ICollection<string> problems)
    {
        if (!(alpha > 0))
        {
            problems.Add(FormattableString.Invariant($"alpha is {alpha}; it must be above 0."));
        }
    }

    /// <summary>The targets have as many classes as the transform was told.</summary>
    public static void CheckClassCount(int? classCount, SoftTargets targets)
    {
        if (classCount is { } expected && expected != targets.ClassCount)
        {
            throw new ArgumentException(Invariant($"The targets have {targets.ClassCount} classes, and num_classes is {expected}; leave num_classes out or correct it."), nameof(targets));
        }
    }
}
