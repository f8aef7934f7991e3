namespace Vizsla.Transforms;

/// <summary>What a parameter's JSON looks like: enough to choose a control.</summary>
public enum ParameterKind
{
    /// <summary>true or false.</summary>
    Flag,

    /// <summary>A whole number.</summary>
    WholeNumber,

    /// <summary>A number.</summary>
    Number,

    /// <summary>A number, or two in a list.</summary>
    NumberOrPair,

    /// <summary>Two numbers in a list.</summary>
    Pair,

    /// <summary>One number or several in a list.</summary>
    Numbers,

    /// <summary>A text among <see cref="TransformParameter.Choices"/>.</summary>
    Choice,

    /// <summary>A whole number, or [height, width].</summary>
    Size,

    /// <summary>A level, or [red, green, blue], each 0 to 255.</summary>
    Color,

    /// <summary>A whole number, [left and right, top and bottom], or [left, top, right, bottom].</summary>
    Padding,

    /// <summary>A number, one per channel in a list, or "random".</summary>
    EraseValue,

    /// <summary>A list of transforms.</summary>
    Transforms,
}
