namespace Vizsla.Imaging;

/// <summary>A file or a run of bytes that cannot be read whole as a picture.</summary>
public sealed class ImageFormatException : Exception
{
    /// <summary>The reason of every file that ends too early.</summary>
    internal const string CutShort = "it is cut short";

    /// <summary>Says that a picture cannot be read.</summary>
    /// <param name="reason">Why, as the end of a sentence without its full stop.</param>
    /// <param name="file">The file, or null when the bytes came from elsewhere.</param>
    /// <param name="innerException">What the decoder met, if it met an exception.</param>
    public ImageFormatException(string reason, string? file = null, Exception? innerException = null)
        : base(file is null ? $"The picture cannot be read: {reason}." : $"The picture '{file}' cannot be read: {reason}.", innerException)
    {
        Reason = reason;
        File = file;
    }

    /// <summary>Why the picture cannot be read, as the end of a sentence without its full stop.</summary>
    public string Reason { get; }

    /// <summary>The file, or null when the bytes came from elsewhere.</summary>
    public string? File { get; }
}
