namespace Vizsla.Hub;

/// <summary>How far one file has come.</summary>
/// <param name="Path">Path in the repository.</param>
/// <param name="Done">Bytes moved, those of an earlier, resumed attempt included.</param>
/// <param name="Total">Bytes in all; null when the Hub has not said.</param>
public readonly record struct TransferProgress(string Path, long Done, long? Total);
