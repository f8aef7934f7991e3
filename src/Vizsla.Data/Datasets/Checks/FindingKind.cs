namespace Vizsla.Datasets.Checks;

/// <summary>What may be wrong with a dataset.</summary>
public enum FindingKind
{
    /// <summary>A picture that cannot be read.</summary>
    Unreadable,

    /// <summary>A picture whose file ends too early.</summary>
    Truncated,

    /// <summary>Pictures of the same content.</summary>
    Exact,

    /// <summary>Pictures that look alike: other sizes, formats, qualities, margins or brightness of one picture.</summary>
    Near,

    /// <summary>Classes whose names differ only in case.</summary>
    Case,

    /// <summary>A picture with a very short side.</summary>
    Tiny,

    /// <summary>A picture that is very long, very large, or of one color.</summary>
    Extreme,

    /// <summary>Classes of very different size, or without pictures in a split.</summary>
    Imbalance,
}
