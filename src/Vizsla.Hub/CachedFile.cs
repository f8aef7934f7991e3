namespace Vizsla.Hub;

/// <summary>What the cache knows of a file, without asking anybody.</summary>
/// <param name="Path">Where it lies; null when it is not cached.</param>
/// <param name="IsKnownAbsent">True when the Hub has said that this revision lacks the file.</param>
/// <remarks>Source: huggingface_hub <c>try_to_load_from_cache</c>. Parity: exact.</remarks>
public readonly record struct CachedFile(string? Path, bool IsKnownAbsent);
