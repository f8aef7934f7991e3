namespace Vizsla.Inference;

/// <summary>What a network made of one picture file before its head names a class.</summary>
/// <param name="File">Path of the file as it was given.</param>
/// <param name="Values">As many as the head has inputs; empty when the picture cannot be read.</param>
/// <param name="Error">Why the picture cannot be read; null when it was.</param>
public sealed record PictureFeatures(string File, float[] Values, string? Error = null);
