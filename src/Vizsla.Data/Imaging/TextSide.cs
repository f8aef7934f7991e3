namespace Vizsla.Imaging;

/// <summary>Where in its field a text stands.</summary>
internal enum TextSide
{
    /// <summary>In the middle.</summary>
    Center,

    /// <summary>At the left edge.</summary>
    Left,

    /// <summary>At the right edge.</summary>
    Right,
}
